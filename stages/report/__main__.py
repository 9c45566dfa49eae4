"""Write the study as a PDF: `python -m stages.report`."""

from importlib import metadata
from itertools import pairwise
from pathlib import Path

from stages.common.base import params, process
from stages.common.base.progress import log
from stages.report.naming import stem
from stages.report.params import Report, Shown

OUT = "report"
PROJECT = Path(__file__).parents[2]
CODE = ("stages/common/networks.py", "stages/train/loop.py", "stages/train/batches.py")
CODE += ("stages/train/augmentation.py", "stages/train/cutmix.py")
NETWORKS = ("q1", "q2", "augment", "better")
# what the report is made of, in the order of the pipeline
READ = ("data/raw", "data/split", *(f"models/{n}" for n in NETWORKS))
READ += (*(f"metrics/{n}.json" for n in NETWORKS), *(f"plots/{n}" for n in NETWORKS))
READ += ("metrics/pairwise.json", "metrics/occlusion.json")
READ += ("plots/occlusion", "plots/split", "plots/compare")
# pictures besides those of one network
PICTURES = ("split/contact_sheet", "compare/curves", "compare/cost", "compare/classes")
PICTURES += ("compare/reliability", "occlusion/patches", "augment/augmented")
PICTURES += tuple(f"compare/difference_{pair}" for pair in map("_".join, pairwise(NETWORKS)))


def main() -> None:
    handed_in = params.read(Report, "report")
    settings = {
        "q1": params.read(Shown, "train", "train_q1"),
        "q2": params.read(Shown, "train", "train_q2"),
        "augment": params.read(Shown, "train", "augment"),
        "better": params.read(Shown, "train", "train_better"),
    }
    groups = {
        "download": params.read(Shown, "download"),
        "split": params.read(Shown, "split"),
        "compute": params.read(Shown, "compute"),
        "evaluate": params.read(Shown, "evaluate"),
        "occlusion": params.read(Shown, "occlusion"),
    }

    from stages.common.base import files, fingerprint
    from stages.common.study import GALLERIES, PER_CLASS, SPLITS
    from stages.report import content, results, typeset
    from stages.report.checksums import md5

    versions = fingerprint.record(typst=metadata.version("typst"))
    source, split = results.read_source(), results.read_split()
    networks = [
        results.read_network(name, settings[name].model_dump(), source.classes) for name in NETWORKS
    ]
    test = results.read_pairwise(list(NETWORKS))
    occlusion = results.read_occlusion()
    shown = {name: group.model_dump() for name, group in groups.items()}
    if shown["download"].get("path"):
        # where the file lies says nothing of the study, and may say much of its owner
        shown["download"]["path"] = Path(shown["download"]["path"]).name

    described = content.describe(networks, test, occlusion, source, split, shown, PER_CLASS)
    described["author"] = handed_in.model_dump()
    packages = ("python", *fingerprint.PACKAGES, "typst")
    described["versions"] = [[name, versions[name]] for name in packages]
    described["checksums"] = [[path, md5(path)] for path in READ]
    described["origin"] = sorted(source.checksums.items())

    names = [
        f"{name}/{kind}"
        for name in NETWORKS
        for kind in (
            "curves",
            *(f"confusion_{split}" for split in SPLITS),
            *(f"gallery_{gallery}" for gallery in GALLERIES),
        )
    ]
    names += [
        f"occlusion/{gallery}_{rank}" for gallery in GALLERIES for rank in range(1, PER_CLASS + 1)
    ]
    pictures = {name: typeset.read_picture(f"plots/{name}.png") for name in (*names, *PICTURES)}
    texts = {path: (PROJECT / path).read_text(encoding="utf-8") for path in CODE}

    name = stem(handed_in.author, handed_in.student_number)
    document = typeset.pdf(described, pictures, texts)
    with files.new_folder(OUT) as folder:
        files.write_bytes(folder / f"{name}.pdf", document)
    log(f"{OUT}/{name}.pdf: {len(document) / 1e6:.1f} MB")


if __name__ == "__main__":
    process.run_main(main)
