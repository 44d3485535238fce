//! The place that holds an argument's value while a call is read.

use super::{Argument, ArgumentDecl, LimitUse, Mistake, MistakeKind, mistake};

/// A place for one argument's value, without its type: what the reader of a JSON object fills.
pub trait Slot {
    /// Returns which argument it is for.
    fn decl(&self) -> &ArgumentDecl;

    /// Tells whether a value was read.
    fn is_filled(&self) -> bool;

    /// Reads the value at the start of a text, and tells how many bytes it took.
    ///
    /// # Errors
    ///
    /// If the value does not fit.
    fn read(&mut self, text: &str) -> Result<usize, Mistake>;

    /// Fills a place that nothing was given for, if that is allowed. Returns whether it was.
    fn fill_absent(&mut self) -> bool;
}

/// The place for a value of type `T`.
#[derive(Debug)]
pub struct ArgumentSlot<'a, T> {
    argument: &'a Argument<T>,
    value: Option<T>,
}

impl<'a, T> ArgumentSlot<'a, T> {
    pub(super) const fn new(argument: &'a Argument<T>) -> Self {
        Self { argument, value: None }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// If the slot was not filled; [`read_object`](super::read_object) has refused the call before that.
    #[inline]
    pub fn take(self) -> Result<T, crate::Error> {
        let name = self.argument.decl.name;
        self.value.ok_or_else(|| crate::Error::new(format!("the argument `{name}` was not read")))
    }
}

impl<T> Slot for ArgumentSlot<'_, T> {
    fn decl(&self) -> &ArgumentDecl {
        &self.argument.decl
    }

    fn is_filled(&self) -> bool {
        self.value.is_some()
    }

    fn read(&mut self, text: &str) -> Result<usize, Mistake> {
        let decl = &self.argument.decl;
        let (value, taken) = (self.argument.read)(text).map_err(|error| {
            let (path, expected) = (decl.mistake)(text).unwrap_or_else(|| (String::new(), mistake::message(&error)));
            Mistake::new(mistake::join(decl.name, &path), MistakeKind::Wrong { problem: expected })
        })?;
        if let Some(check) = self.argument.limits {
            check(LimitUse::Check(&value)).map_err(|limit| Mistake::new(decl.name, MistakeKind::Wrong { problem: limit }))?;
        }
        self.value = Some(value);
        Ok(taken)
    }

    fn fill_absent(&mut self) -> bool {
        self.value = (self.argument.absent)();
        self.value.is_some()
    }
}
