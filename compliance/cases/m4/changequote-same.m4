changequote(|, |)define(|a|, |x|) |a| a
