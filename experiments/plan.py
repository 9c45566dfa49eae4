"""The plan of the study on STL-10: which trainings, and what each changes in the params."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stages.common import study
from stages.common.base.errors import InputError, shown
from stages.common.base.params import Group, check, overriding, parse

FILE = Path(__file__).with_name("plan.yaml")
# of each stage that trains, the network whose folder in models/ it writes; a stage is called as its
# group of params
NETWORKS = {network.stage: name for name, network in study.NETWORKS.items()}
MEASURED = ("study", "official", "long", "portable")  # on test
PARTS = (*MEASURED, "sweep", "tried", "ablation")


class Experiment(Group):
    """One training: its stage, what it is about, and its params beside those of all.

    It is run with the seeds 0, 1, ... below `seeds`.
    """

    stage: Literal[tuple(NETWORKS)]
    about: str
    seeds: Annotated[int, Field(ge=1, le=100)] = 1
    params: dict[str, Any] = {}

    @model_validator(mode="after")
    def params_are_those_of_the_stage(self):
        # others would change nothing, and the training be taken for that of another experiment
        groups = ("split", "compute", "train", self.stage)
        for key in self.params:
            if key.partition(".")[0] not in groups:
                raise ValueError(f"{shown(key)} should be in one of {', '.join(groups)}")
        return self


class Plan(Group):
    """All of `plan.yaml`.

    `params` is what all set, as `dvc exp run -S` names it; `study` the four networks, measured on
    test and compared; `official` the same on the published split, `long` what more time gives and
    `portable` what the study's networks are in `float32`, all measured on test. `sweep`, `tried`
    and `ablation` are judged by validation alone, each step of `ablation` with the changes of all
    before it.
    """

    params: dict[str, Any]
    study: dict[str, Experiment]
    official: dict[str, Experiment]
    long: dict[str, Experiment]
    portable: dict[str, Experiment]
    sweep: dict[str, Experiment]
    tried: dict[str, Experiment]
    ablation: dict[str, Experiment]

    @property
    def experiments(self) -> dict[str, Experiment]:
        """All of them by name, as `PARTS` are ordered, with all that they change."""
        found: dict[str, Experiment] = {}
        for part in PARTS:
            found |= getattr(self, part)
        params: dict[str, Any] = {}
        for name, step in self.ablation.items():
            params = params | step.params
            found[name] = step.model_copy(update={"params": params})
        return found

    @property
    def measured(self) -> list[str]:
        """Name those that are measured on test."""
        return [name for part in MEASURED for name in getattr(self, part)]

    def network(self, name: str) -> str:
        """Return the network of the study that an experiment trains."""
        return NETWORKS[self.experiments[name].stage]

    def hyperparameters(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return everything that an experiment's training goes by, but its seed."""
        experiment = self.experiments[name]
        changed, found = self.params | experiment.params, {}
        for group in ("split", "compute", "train", experiment.stage):
            own = {k: v for k, v in changed.items() if k.startswith(f"{group}.")}
            values = params[group] | {k.removeprefix(f"{group}."): v for k, v in own.items()}
            found |= overriding(values, found)
        return found

    def twins(self, name: str, params: dict[str, Any]) -> list[str]:
        """Name the experiments whose training is that of another one, itself among them."""
        own = self.hyperparameters(name, params)
        return [other for other in self.experiments if self.hyperparameters(other, params) == own]


def read(path: str | Path = FILE) -> Plan:
    """Read the plan; InputError where it is not one."""
    return check(Plan, parse(path), str(path))


def chosen(plan: Plan, names: list[str]) -> list[str]:
    """Return the experiments to run: those named, singly or by part of the plan, or all."""
    parts = {part: list(getattr(plan, part)) for part in PARTS}
    for name in names:
        if name not in parts and name not in plan.experiments:
            raise InputError(
                f"{shown(name)} is not in the plan: it has the parts {', '.join(parts)} and the "
                f"experiments {', '.join(plan.experiments)}"
            )
    wanted = [one for name in names for one in parts.get(name, [name])]
    return list(dict.fromkeys(wanted)) or list(plan.experiments)
