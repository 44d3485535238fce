//! What a `#[task]` adds.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::model::Task;
use crate::shared::{
    Arguments, Function, Parameter, call_body, called_body, lent_decls, location, marker, option, optional_duration, ours_at,
    registered,
};

pub(crate) fn expand(function: &Function, task: &Task) -> TokenStream {
    let Task { name, docs, is_tool, retries, concurrency, when_disabled, on_terminal, parameters, .. } = task;
    let ident = &function.signature.ident;
    let given = given(function, task);
    let marker = marker(&format!("a_task_called_{name}"), ident);
    let Arguments { declarations, decls, slots, filled } = Arguments::expand(parameters);
    let (lent, lent_decls) = lent_decls(parameters);
    let call = call_body(function, parameters, None);
    let called = called_body(function, &slots, &filled, &call);
    let deadline = optional_duration(task.deadline);
    let backoff = u64::try_from(task.backoff.as_millis()).unwrap_or(u64::MAX);
    let concurrency = option(*concurrency);
    // What is started at the end takes the end, and nothing else.
    let checked = on_terminal.as_ref().map(|path| {
        let span = ours_at(path.span());
        quote_spanned!(span=> const __NEKRO_AT_THE_END: fn(__nekro::TaskEnd) -> #path = <#path as __nekro::TakesTheEnd>::at;)
    });
    let on_terminal = option(on_terminal.as_ref().map(|path| {
        let span = ours_at(path.span());
        quote_spanned!(span=> <#path as __nekro::TaskArguments>::DECL.name)
    }));
    let takes_the_end = takes_the_end(task).then(|| {
        quote! {
            impl __nekro::TakesTheEnd for #ident {
                fn at(end: __nekro::TaskEnd) -> Self {
                    Self { end }
                }
            }
        }
    });
    let fields = parameters.0.iter().filter_map(|parameter| match parameter {
        Parameter::Argument(argument) => {
            let (name, ident) = (&argument.name, &argument.ident);
            Some(quote_spanned!(argument.ty.span()=> .with(#name, &self.#ident)?))
        }
        Parameter::Lent(_) => None,
    });
    let location = location(ident);
    let tool = is_tool.then(|| tool(name, docs, &decls));
    let registered = registered(
        ident,
        quote! {
            #marker
            #declarations
            #lent
            #called
            #checked
            fn __nekro_check(__nekro_json: &::core::primitive::str) -> ::core::result::Result<(), __nekro::Error> {
                #slots
                __nekro::check_arguments(__nekro_json, &mut [#filled])
            }
            impl __nekro::TaskArguments for #ident {
                const DECL: &'static __nekro::TaskDecl = &__NEKRO_DECL;

                fn to_json(&self) -> ::core::result::Result<::std::string::String, __nekro::Error> {
                    ::core::result::Result::Ok(__nekro::ArgumentsJson::new() #(#fields)* .finish())
                }
            }
            #takes_the_end
            static __NEKRO_DECL: __nekro::TaskDecl = __nekro::TaskDecl {
                plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
                name: #name,
                docs: #docs,
                retries: #retries,
                backoff: ::core::time::Duration::from_millis(#backoff),
                deadline: #deadline,
                concurrency: #concurrency,
                when_disabled: __nekro::WhenDisabled::#when_disabled,
                on_terminal: #on_terminal,
                arguments: &[#decls],
                lent: &[#lent_decls],
                output: || __nekro_output().decl(),
                check: __nekro_check,
                body: __NEKRO_BODY,
                location: #location,
            };
            __nekro::inventory::submit! { &__NEKRO_DECL }
            #tool
        },
    );
    quote!(#given #registered)
}

/// Tells whether its one argument is `end: TaskEnd`.
fn takes_the_end(task: &Task) -> bool {
    let mut arguments = task.parameters.0.iter().filter_map(|parameter| match parameter {
        Parameter::Argument(argument) => Some(argument),
        Parameter::Lent(_) => None,
    });
    match (arguments.next(), arguments.next()) {
        (Some(argument), None) if argument.ident == "end" => {
            // However its path is written; any other type ends otherwise.
            argument.ty.clone().into_iter().last().is_some_and(|last| last.to_string() == "TaskEnd")
        }
        _ => false,
    }
}

/// What is added after a mistake: whoever starts it still finds its arguments.
pub(crate) fn rescue(function: &Function, task: &Task) -> TokenStream {
    given(function, task)
}

/// The struct of the arguments. With braces it is a type and no value, so that it can be called as the function is.
fn given(function: &Function, task: &Task) -> TokenStream {
    let (ident, visibility) = (&function.signature.ident, function.visibility());
    let fields = task.parameters.0.iter().filter_map(|parameter| match parameter {
        Parameter::Argument(argument) => {
            let (docs, ident, ty) = (&argument.docs, &argument.ident, &argument.ty);
            Some(quote!(#[doc = #docs] #visibility #ident: #ty))
        }
        Parameter::Lent(_) => None,
    });
    let docs = format!("The arguments of the task `{}`.\n\n{}", task.name, task.docs);
    quote! {
        #[doc = #docs]
        #[allow(
            non_camel_case_types,
            dead_code,
            unreachable_pub,
            private_interfaces,
            missing_debug_implementations,
            missing_copy_implementations
        )]
        #visibility struct #ident { #(#fields),* }
    }
}

/// The tool that starts it.
fn tool(name: &str, docs: &str, decls: &TokenStream) -> TokenStream {
    let docs = format!("{docs}\n\nIt runs in the background: the answer is the task's id, and you are told when it has ended.");
    let claim = marker(&format!("a_tool_called_{name}"), proc_macro2::TokenStream::new());
    quote! {
        #claim
        static __NEKRO_TOOL: __nekro::ToolDecl = __nekro::ToolDecl {
            plugin: <__NekroPlugin as __nekro::Plugin>::DECL,
            name: #name,
            docs: #docs,
            category: ::core::option::Option::None,
            tags: &[],
            effect: __nekro::Effect::new(false, false, false),
            when: ::core::option::Option::None,
            deadline: ::core::option::Option::None,
            arguments: &[#decls],
            lent: &[__nekro::TASKS_LENT],
            output: __nekro::started_task,
            check: __nekro_check,
            body: __nekro::Body::Async(|__nekro_call| __nekro::start_as_tool(__nekro_call, &__NEKRO_DECL)),
            location: __NEKRO_DECL.location,
        };
        __nekro::inventory::submit! { &__NEKRO_TOOL }
    }
}
