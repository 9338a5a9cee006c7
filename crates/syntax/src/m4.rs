//! m4 with origins.
