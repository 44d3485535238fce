//! Workdays and days off, as the operator has set them.

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date, civil::Weekday};

/// Says which days are workdays.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    pub(super) weekend: Vec<Weekday>,
    pub(super) holidays: BTreeSet<Date>,
    pub(super) workdays: BTreeSet<Date>,
}

/// The most days off in a row that are passed over.
const MOST_DAYS: usize = 60;

impl Calendar {
    /// Tells whether a day is a workday. A day that is named as one is, also at a weekend.
    pub(super) fn is_workday(&self, date: Date) -> bool {
        self.workdays.contains(&date) || !self.holidays.contains(&date) && !self.weekend.contains(&date.weekday())
    }

    /// Returns the next workday from a day on, or the last one up to it; none if there is none for long.
    pub(super) fn nearest(&self, date: Date, forwards: bool) -> Option<Date> {
        let step = if forwards { 1.days() } else { (-1).days() };
        let days = std::iter::successors(Some(date), |date| date.checked_add(step).ok());
        days.take(MOST_DAYS).find(|date| self.is_workday(*date))
    }
}
