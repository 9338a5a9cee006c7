regexp(`GNUs not Unix', `\w\(\w+\)$', `*** \& *** \1 ***') [regexp(`abc', `x', `y')]
