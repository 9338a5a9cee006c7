define(`a', `b')ifdef(a, yes, no) define(`b')ifdef(a, yes, no)
