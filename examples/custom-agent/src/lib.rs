//! An agent of one's own.
