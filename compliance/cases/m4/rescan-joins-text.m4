define(`x', `de')define(`y', `F')x`'fine(`y2', `Z')y2
