//! What an `#[init]` or a `#[cleanup]` says, checked.

use quote::ToTokens;
use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::shared::{Diagnostics, Function, Keys, Parameters};

/// When a hook is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Init,
    Cleanup,
}

impl When {
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Cleanup => "cleanup",
        }
    }
}

/// A hook.
pub(crate) struct Hook {
    pub(crate) when: When,
    /// What other functions can borrow afterwards.
    pub(crate) state: Option<Type>,
    pub(crate) parameters: Parameters,
}

impl Hook {
    pub(crate) fn read(when: When, function: &Function, keys: Keys, diagnostics: &mut Diagnostics) -> Option<Self> {
        keys.finish(diagnostics);
        let parameters = Parameters::read(&function.signature.inputs, when.attribute(), diagnostics);
        parameters.refuse_arguments(&format!("`#[{}]`", when.attribute()), diagnostics);
        let returned = match &function.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(inside_result(ty)).filter(|ty| !is_unit(ty)).cloned(),
        };
        if when == When::Cleanup {
            if let Some(returned) = returned {
                diagnostics.report(returned, "`#[cleanup]` returns nothing, or `Result<()>`: nobody is left to use a value");
            }
            return Some(Self { when, state: None, parameters });
        }
        if let Some(state) = &returned {
            let state = state.to_token_stream().to_string();
            if let Some(own) = parameters.lent().find(|ty| ty.to_token_stream().to_string() == state) {
                diagnostics.report(own, "`#[init]` makes this state: it cannot borrow it");
            }
        }
        // What cannot be lent is reported elsewhere.
        let state = returned.filter(|ty| !matches!(ty, Type::ImplTrait(_) | Type::Reference(_)));
        Some(Self { when, state, parameters })
    }
}

/// Returns `T` of `Result<T, …>`, and any other type as it is.
fn inside_result(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else { return ty };
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(inside)) => inside,
            _ => ty,
        },
        _ => ty,
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
