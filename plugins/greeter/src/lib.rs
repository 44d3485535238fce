//! Greets whoever opens a session.
