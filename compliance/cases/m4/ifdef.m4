define(`a')ifdef(`a', yes, no) ifdef(`b', yes, no) [ifdef(`b', yes)] ifdef(`define', yes, no)
