changequote(<<<, >>>)define(<<<a>>>, <<<x>>>)<<<a>>> a <<a>>
changequote(`,')`a'
