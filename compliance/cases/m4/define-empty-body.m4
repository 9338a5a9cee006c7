define(`a')|a|define(`b', `')|b|
