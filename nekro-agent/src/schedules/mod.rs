//! Schedules: what is done at a time, or again and again.
//!
//! `timing` and `calendar` say when, and know nothing else. `book` writes schedules down, `due` finds in one transaction what is due and makes a
//! background task of it: so each time is fired once, whoever looks, and what was begun survives the process as every task does.

mod book;
mod calendar;
mod due;
mod settings;
#[cfg(test)]
mod tests;
mod timing;

pub(crate) use self::{
    book::{Book, Change},
    due::{ACTION, Fired},
    settings::SchedulesSettings,
    timing::in_no_zone,
};
