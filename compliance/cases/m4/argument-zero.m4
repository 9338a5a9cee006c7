define(`n', `[``$0'']')n n(x)
