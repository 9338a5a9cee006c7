define(`f', `<$1>')define(`g', `f')g(x) g`'(x)
