divert(1)kept
divert`'before
undivert(1)after
