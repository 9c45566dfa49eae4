"""What the fingerprints of two runs say of why their bytes differ."""

from typing import Any

Fingerprint = dict[str, Any]


def explain(before: Fingerprint | None, after: Fingerprint | None) -> list[str]:
    """Say in a line each what differs between two fingerprints; None where none was kept."""
    if before is None or after is None:
        return [] if before is after else ["one of the two runs kept no fingerprint"]
    return [
        _explain(key, before.get(key), after.get(key))
        for key in before | after
        if before.get(key) != after.get(key)
    ]


def _explain(key: str, before: Any, after: Any) -> str:
    if key != "processor_features" or before is None or after is None:
        return f"{key} was {before}, is {after}"
    # dozens of words, of which a few differ
    old, new = before.split(), after.split()
    parts = {
        "without": [word for word in old if word not in new],
        "with": [word for word in new if word not in old],
    }
    return f"{key}: now " + ", ".join(f"{k} {' '.join(v)}" for k, v in parts.items() if v)


def explain_all(
    before: dict[str, Fingerprint], after: dict[str, Fingerprint], stages: list[str]
) -> list[str]:
    """Explain for several stages: each line once, with the stages that it holds for."""
    holds: dict[str, list[str]] = {}
    for stage in stages:
        for line in explain(before.get(stage), after.get(stage)):
            holds.setdefault(line, []).append(stage)
    return [
        f"{line} ({'all stages' if len(names) == len(stages) else ', '.join(names)})"
        for line, names in holds.items()
    ]
