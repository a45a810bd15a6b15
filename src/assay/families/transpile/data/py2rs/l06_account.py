def account(balance: int, moves: list[int]) -> list[int]:
    """Return the balance after each move; a move that overdraws is an error, as is a move of nothing."""
    history = []
    for number, move in enumerate(moves, start=1):
        if move == 0:
            raise ValueError(f"move {number} moves nothing")
        if balance + move < 0:
            raise ArithmeticError(f"move {number} overdraws by {-(balance + move)}")
        balance += move
        history.append(balance)
    return history
