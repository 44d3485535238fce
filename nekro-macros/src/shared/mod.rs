//! What the attributes share: reading keys, doc comments and signatures, and reporting mistakes.

mod attribute;
mod diagnostics;
mod docs;
mod expansion;
mod function;
mod keys;
mod names;
mod parameters;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use self::{
    attribute::{function_attribute, nothing},
    diagnostics::Diagnostics,
    docs::docs,
    expansion::{
        Arguments, answering_body, body, call_body, called_body, lent_decls, location, marker, names, option, optional_duration,
        ours_at, registered,
    },
    function::Function,
    keys::Keys,
    names::{check_name, plugin_id, snake_case},
    parameters::{Argument, Parameter, Parameters},
};
