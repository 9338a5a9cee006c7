//! Units in CIL.
