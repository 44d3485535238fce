//! The keys of an attribute: `name`, `name = value`, each at most once, and none that is unknown.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Expr, ExprLit, ExprPath, ExprUnary, Ident, Lit, LitStr, Token, UnOp,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

use super::Diagnostics;

/// The keys of one attribute. Each is taken out by its reader; what is left at the end is unknown.
pub(crate) struct Keys {
    attribute: &'static str,
    given: Vec<Key>,
    known: Vec<&'static str>,
}

struct Key {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Key {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // Keywords such as `crate` are keys too.
        let name = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self { name, value })
    }
}

impl Keys {
    /// Reads the keys. `attribute` is its name, for messages.
    pub(crate) fn parse(attribute: &'static str, tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let given: Vec<Key> = match Punctuated::<Key, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(keys) => keys.into_iter().collect(),
            Err(error) => {
                diagnostics.push(error);
                Vec::new()
            }
        };
        for (at, key) in given.iter().enumerate() {
            if given[..at].iter().any(|before| before.name == key.name) {
                diagnostics.report(&key.name, format!("`{}` is given twice", key.name));
            }
        }
        Self { attribute, given, known: Vec::new() }
    }

    fn take(&mut self, name: &'static str) -> Option<Key> {
        self.known.push(name);
        let at = self.given.iter().position(|key| key.name == name)?;
        let taken = self.given.remove(at);
        self.given.retain(|key| key.name != name);
        Some(taken)
    }

    /// Takes a key that needs a value.
    fn value(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Option<Expr> {
        let key = self.take(name)?;
        if key.value.is_none() {
            diagnostics.report(&key.name, format!("`{name}` needs a value, such as `{name} = {example}`"));
        }
        key.value
    }

    /// Tells whether a key was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|key| key.name == name)
    }

    /// Takes any expression.
    pub(crate) fn expression(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Option<Expr> {
        self.value(name, example, diagnostics)
    }

    /// Takes a key that may stand alone; `Some(None)` if it does.
    pub(crate) fn optional_expression(&mut self, name: &'static str) -> Option<Option<Expr>> {
        self.take(name).map(|key| key.value)
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Option<LitStr> {
        let value = self.value(name, &format!("{example:?}"), diagnostics)?;
        let text = as_text(&value);
        if text.is_none() {
            diagnostics.report(&value, format!("`{name}` is a text: write `{name} = {example:?}`"));
        }
        text
    }

    /// Takes a list of texts.
    pub(crate) fn texts(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Vec<LitStr> {
        let Some(value) = self.value(name, &format!("[{example:?}]"), diagnostics) else { return Vec::new() };
        let texts = match &value {
            Expr::Array(array) => array.elems.iter().map(as_text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        texts.unwrap_or_else(|| {
            diagnostics.report(&value, format!("`{name}` is a list of texts: write `{name} = [{example:?}]`"));
            Vec::new()
        })
    }

    /// Takes a list of texts that has something in it.
    pub(crate) fn some_texts(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Vec<LitStr> {
        let empty = self.given.iter().find(|key| key.name == name).and_then(|key| match &key.value {
            Some(Expr::Array(array)) if array.elems.is_empty() => Some(array.clone()),
            _ => None,
        });
        if let Some(empty) = empty {
            diagnostics.report(empty, format!("`{name}` names nothing: write `{name} = [{example:?}]`, or leave it out"));
        }
        self.texts(name, example, diagnostics)
    }

    /// Takes a switch: a key without a value. Returns where it stands.
    pub(crate) fn switch(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Option<Ident> {
        let key = self.take(name)?;
        if let Some(value) = key.value {
            diagnostics.report(value, format!("`{name}` has no value: write just `{name}`, or leave it out"));
        }
        Some(key.name)
    }

    /// Takes a switch that no message mentions.
    pub(crate) fn hidden_switch(&mut self, name: &'static str) -> bool {
        let found = self.take(name).is_some();
        self.known.pop();
        found
    }

    /// Takes one of a few words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        let value = self.value(name, words[0].0, diagnostics)?;
        let given = value.to_token_stream().to_string();
        let found = words.iter().find(|(word, _)| *word == given.trim_matches('"')).map(|(_, value)| *value);
        if found.is_none() {
            let list = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            diagnostics.report(&value, format!("`{name}` is one of {list}"));
        }
        found
    }

    /// Takes a whole number.
    pub(crate) fn number<N: std::str::FromStr>(
        &mut self,
        name: &'static str,
        example: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<N> {
        let value = self.value(name, example, diagnostics)?;
        let number = match &value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_digits().parse().ok(),
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
                Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => format!("-{}", number.base10_digits()).parse().ok(),
                _ => None,
            },
            _ => None,
        };
        if number.is_none() {
            diagnostics.report(&value, format!("`{name}` is a whole number: write `{name} = {example}`"));
        }
        number
    }

    /// Takes a duration such as `"500ms"`, `"5s"`, `"2m"` or `"1h"`.
    pub(crate) fn duration(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Option<Duration> {
        let text = self.text(name, "5s", diagnostics)?;
        let duration = duration(&text.value());
        if duration.is_none() {
            diagnostics.report(
                &text,
                format!("`{name}` is a duration above 0: a whole number and `ms`, `s`, `m` or `h`, such as `\"5s\"`"),
            );
        }
        duration
    }

    /// Takes a path to a type or a function.
    pub(crate) fn path(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Option<ExprPath> {
        match self.value(name, example, diagnostics)? {
            Expr::Path(path) => Some(path),
            other => {
                diagnostics.report(other, format!("`{name}` is a name: write `{name} = {example}`"));
                None
            }
        }
    }

    /// Takes a list of paths to functions.
    pub(crate) fn paths(&mut self, name: &'static str, example: &str, diagnostics: &mut Diagnostics) -> Vec<ExprPath> {
        let Some(value) = self.value(name, &format!("[{example}]"), diagnostics) else { return Vec::new() };
        let path = |expression: &Expr| match expression {
            Expr::Path(path) => Some(path.clone()),
            _ => None,
        };
        let paths = match &value {
            Expr::Array(array) => array.elems.iter().map(path).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        paths.unwrap_or_else(|| {
            diagnostics.report(&value, format!("`{name}` is a list of functions: write `{name} = [{example}]`"));
            Vec::new()
        })
    }

    /// Reports what nobody has taken.
    pub(crate) fn finish(self, diagnostics: &mut Diagnostics) {
        for key in self.given {
            let name = key.name.to_string();
            let meant = self
                .known
                .iter()
                .map(|known| (strsim::damerau_levenshtein(&name, known), known))
                .filter(|(distance, known)| {
                    let is_short_for = name.len() > 1 && known.starts_with(&name);
                    is_short_for || *distance <= (known.len().max(name.len()) / 3).max(1)
                })
                .min_by_key(|(distance, _)| *distance);
            let help = match meant {
                Some((_, meant)) => format!("did you mean `{meant}`?"),
                None if self.known.is_empty() => "it has none".to_owned(),
                None => {
                    let known: Vec<_> = self.known.iter().map(|known| format!("`{known}`")).collect();
                    format!("there are {}", known.join(", "))
                }
            };
            diagnostics.report(&key.name, format!("`#[{}]` has no key `{name}`: {help}", self.attribute));
        }
    }
}

fn as_text(expression: &Expr) -> Option<LitStr> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|one: char| !one.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let milliseconds = match text[digits..].trim_start() {
        "ms" => number,
        "s" => number.checked_mul(1_000)?,
        "m" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        _ => return None,
    };
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "0s", "5 days", "-1s", "99999999999999999999s", "18446744073709551615h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
