divert(1)later
divert(0)first
divert(2)last
divert
second
