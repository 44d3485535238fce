//! Notes that a conversation keeps.
