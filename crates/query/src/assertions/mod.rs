//! Tests of a policy.
