def ranking(scores: dict[str, int], top: int) -> list[str]:
    """Return the names of the best, the highest score first, equal ones by name."""
    ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [f"{place}. {name} ({score})" for place, (name, score) in enumerate(ordered[:top], 1)]
