define(`a', `é')a ü aü
