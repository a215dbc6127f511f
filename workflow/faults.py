"""The catalogue of error codes: meaning and remedy of each. `wf help CODE` and docs/errors.md show it.

The letter says what was at fault, see `_LETTERS`.
"""

from __future__ import annotations

from typing import NamedTuple

from workflow.errors import UsageError, did_you_mean

_LETTERS = """\
The letter says what was at fault: P pictures and preparing, L databases, M means, X prototxt, C snapshots,
Y settings, T training, R Ray, I looking at a picture, E evaluating."""


class Fault(NamedTuple):
    """One entry."""

    title: str
    meaning: str
    remedy: str


FAULTS: dict[str, Fault] = {
    # ---- pictures and preparing
    "P01": Fault(
        "a file or folder does not exist",
        "The path on the command line or in `images:` does not exist, or is a web address.",
        "Check the spelling; the message suggests a similar name if there is one. Download web addresses first.",
    ),
    "P02": Fault(
        "a file where a folder is needed",
        "`wf prepare` takes folders with one sub-folder for each class, plain tars and addresses, and lists with "
        "`--list`; no other archives or files.",
        "Unpack an archive and name the folder.",
    ),
    "P03": Fault(
        "no class folders",
        "Pictures are directly in the folder, or wf cannot tell classes from splits (train, test).",
        "Move the pictures into FOLDER/CLASS/, or list the classes under `classes:` in the settings.",
    ),
    "P04": Fault(
        "fewer than two classes",
        "A classifier needs at least two classes.",
        "Add a folder with other pictures. The folder that was named may be one level too high or too low.",
    ),
    "P05": Fault(
        "a class with fewer than two usable pictures",
        "One picture is needed for training and one for the test.",
        "Add pictures, or leave the class out with `--drop-class NAME`.",
    ),
    "P06": Fault(
        "files that cannot be used",
        "Some files are empty or not regular files. They are skipped and listed in images.jsonl. `--strict` stops.",
        "Remove or replace the files that are listed.",
    ),
    "P07": Fault(
        "a damaged picture",
        "The file ends too early, or its contents are inconsistent.",
        "Copy the file again from where it came from, or remove it.",
    ),
    "P08": Fault(
        "too many unreadable pictures",
        "More files than `prepare.max_bad` allows are damaged: probably the copy was interrupted.",
        "Copy the folder again. `wf prepare --max-bad 15%` continues without these files.",
    ),
    "P09": Fault(
        "a file that is not a picture",
        "The content is text, HTML, a git-lfs pointer or something else, even if its name ends in .png.",
        "`git lfs pull` fetches the files behind pointers. Remove other files.",
    ),
    "P11": Fault(
        "a format that wf does not read",
        "The file is a picture in another format: SVG, RAW, or HEIC without the package that reads it.",
        "Convert the file to PNG or JPEG.",
    ),
    "P12": Fault(
        "a picture that is too large",
        "It has more pixels than `prepare.max_pixels`, or needs more memory than is available. It is not decoded.",
        "Raise `prepare.max_pixels` in the settings, or reduce the picture.",
    ),
    "P13": Fault(
        "a picture format that is not accepted",
        "JPEG, PNG, BMP, GIF, WebP and AVIF are decoded, and HEIC with pillow-heif; some rare variants are not.",
        "Convert the file to PNG or JPEG.",
    ),
    "P21": Fault(
        "a file that cannot be read (permission denied)",
        "The operating system refuses to open it (permission denied).",
        "Change its owner or mode: `chmod u+r FILE`.",
    ),
    "P22": Fault(
        "a folder name that cannot be a class",
        "Names with control characters, or with spaces at the start or end, cannot be written to labels.txt.",
        "Rename the folder.",
    ),
    "P24": Fault(
        "a database key with an invalid length",
        "LMDB keys have 1 to 511 bytes.",
        "Longer paths are shortened by `wf prepare`; a key of your own must be shorter.",
    ),
    "P25": Fault(
        "class names that are nearly the same",
        "Two folders differ only in upper and lower case or in how Unicode writes an accent.",
        "Rename one of them, or move all pictures into one.",
    ),
    "P28": Fault(
        "the same picture in two classes",
        "Identical files are in folders of different classes, so one of the labels is wrong.",
        "Remove one of each pair; `prepare.on_conflict: skip` leaves out both.",
    ),
    "P31": Fault(
        "a file that changed while it was read",
        "Its size or time differs before and after reading, or it disappeared.",
        "Wait until the copy is complete and run the command again.",
    ),
    "P32": Fault(
        "not enough disk space to start",
        "The databases would not fit. Nothing was written.",
        "Free some space, or set `generations:` to a folder on another disk.",
    ),
    "P33": Fault(
        "the disk became full",
        "What was being written was removed; older generations are unchanged.",
        "Free some space and run the command again.",
    ),
    "P35": Fault(
        "the generation exists already",
        "`wf prepare` replaces a generation only with `--force`.",
        "Leave `--gen` out to make the next one. `--force` replaces it; a trained one is kept in before-N/.",
    ),
    "P37": Fault(
        "a class of the previous generation is missing",
        "Class numbers never change between generations, so you must say what happened to a missing class.",
        "`--drop-class NAME` if it was removed, `--rename OLD=NEW` if its folder has another name now.",
    ),
    "P38": Fault(
        "a class without test or training pictures",
        "With this share of test pictures, the training set or the test set would have no picture of the class.",
        "Add pictures, or try another share: `wf prepare --test-share 30%`.",
    ),
    "P40": Fault(
        "a tar that is cut, damaged or compressed",
        "Plain tars are read. What a cut or damaged tar lacks cannot be told, so none of it is used.",
        "Copy or make the tar again, or leave it out. Decompress a .tar.gz first.",
    ),
    "P41": Fault(
        "a wrong line of a list",
        "A line of a list of pictures has no label where one is needed, or holds a zero byte (a UTF-16 file?).",
        "Write `path label` on each line, the label a whole number. `wf predict` ignores labels.",
    ),
    "P42": Fault(
        "an object store that refuses, or an address that is not read",
        "The store was asked several times. Addresses with a password or a query are not read: they would be recorded.",
        "Check the network, the credentials and the bucket's name. Credentials come from the environment or from "
        "the files of the store's own tools. Remove a password or a query from the address.",
    ),
    # ---- databases
    "L01": Fault(
        "no generation, or no database",
        "The folder is not a project, has no generation yet, or a generation's database is missing.",
        "`wf init` makes a project, `wf prepare` a generation; `wf -C DIR` works in another project.",
    ),
    "L02": Fault(
        "an empty database",
        "Its data.mdb has no bytes or no records: a copy was probably interrupted.",
        "Copy it again, or make a new generation with `wf prepare`.",
    ),
    "L03": Fault(
        "a damaged database",
        "Pages of data.mdb are missing or inconsistent. Opening such a file would crash the process, so it is refused.",
        "Copy it again, or make a new generation with `wf prepare`; the snapshots of this one stay usable.",
    ),
    "L04": Fault(
        "a record that does not match its checksum",
        "The database can be read, but a picture in it is not what was written.",
        "Copy it again, or make a new generation with `wf prepare --rehash`.",
    ),
    "L05": Fault(
        "a record that cannot be used",
        "It is not a Datum, its shape differs from the others, or its label is outside the classes.",
        "Check the tool that wrote the database; `wf verify` checks a whole generation.",
    ),
    "L06": Fault(
        "a database in the format of LMDB 1.0",
        "Caffe and wf use the format of LMDB 0.9; that of LMDB 1.0 is not compatible with it.",
        "Write the database again with LMDB 0.9, or prepare the pictures with `wf prepare`.",
    ),
    "L09": Fault(
        "a network file system",
        "LMDB can be damaged on NFS, SMB and the like.",
        "Set `generations:` to a local folder; `--allow-network-fs` allows it at your own risk.",
    ),
    # ---- means
    "M01": Fault(
        "a mean that cannot be read",
        "The file is empty, damaged or not a mean (the message says which).",
        "Name a .binaryproto, .npy or .npz file, or numbers: `--mean 104,117,123`.",
    ),
    "M02": Fault(
        "a mean or crop that does not fit",
        "Its size or number of channels differs from the pictures'.",
        "Use the mean of the data set that the net was trained on; `wf prepare` writes one for each generation.",
    ),
    "M03": Fault(
        "a mean with NaN or infinite values",
        "It would make every input NaN.",
        "Compute it again: `wf prepare` writes one for each generation.",
    ),
    "M04": Fault(
        "a mean file and mean values at once",
        "As in Caffe, `mean_file` and `mean_value` cannot be used together.",
        "Keep one of them in transform_param.",
    ),
    # ---- prototxt
    "X01": Fault(
        "an unknown field or value in a prototxt",
        "The name is misspelt, is in the wrong block, or belongs to a fork of Caffe.",
        "The message names the line and the closest known name.",
    ),
    "X02": Fault(
        "a prototxt that does not parse",
        "A brace is not closed, a field is given twice or a value is missing.",
        "Look at the line and column in the message.",
    ),
    "X03": Fault(
        "a prototxt that is too large or too deep",
        "Files over 1 MiB and blocks nested deeper than 100 are refused.",
        "Check that this is the right file; weights are in .caffemodel files.",
    ),
    "X04": Fault(
        "a layer type that the engine does not know",
        "Each engine supports some of the types; docs/layers.md lists all of them.",
        "`--engine caffe` runs every layer of BVLC Caffe.",
    ),
    "X05": Fault(
        "blobs that do not connect",
        "A layer reads a blob that no earlier layer makes, or two layers make the same one.",
        "Check the names of `bottom` and `top`; the message names the closest.",
    ),
    "X06": Fault(
        "outputs and classes differ in number",
        "The `num_output` of the classifying layer differs from the number of class names.",
        "Set `num_output` to the number of classes, or name the right labels file.",
    ),
    "X07": Fault(
        "a net that needs more memory than the machine has",
        "Its parameters and blobs together need more than there is.",
        "Use a smaller batch_size or num_output.",
    ),
    "X08": Fault(
        "an old prototxt that cannot be upgraded",
        "Files of Caffe's first versions are upgraded on reading; this file uses something that Caffe 1.0 lacks.",
        "`wf net upgrade FILE OUT` shows where; change that layer by hand.",
    ),
    "X09": Fault(
        "a net that uses files outside the project",
        "A source, mean or output file is outside the project folder. Otherwise a net could access private files.",
        "Copy or link the file into the project and change the path in the prototxt.",
    ),
    # ---- snapshots
    "C01": Fault(
        "a snapshot that is empty, damaged or changed",
        "The file does not parse, is incomplete, or does not match its recorded checksum.",
        "The message names the newest good snapshot; `wf train` resumes from it.",
    ),
    "C02": Fault(
        "weights that do not fit the net",
        "A layer has other shapes in the file than in the net.",
        "Use the net that the weights were trained with; `--ignore-mismatch LAYER` leaves that layer out.",
    ),
    "C03": Fault(
        "weights where a solver state is needed, or the other way round",
        "A .caffemodel holds weights, a .solverstate the state of training.",
        "Name the other file; `wf train --weights` starts from weights alone.",
    ),
    "C04": Fault(
        "a file that could run code",
        "Pickles, PyTorch files and the like are never opened: loading them can run any program.",
        "Export the weights as .caffemodel, .npy or .npz (arrays only).",
    ),
    "C05": Fault(
        "weights that are NaN or infinite",
        "The training diverged before this snapshot was written.",
        "Take an earlier snapshot; train with a smaller base_lr.",
    ),
    "C06": Fault(
        "no such snapshot",
        "The name is not a snapshot of this project.",
        "Write iter_6000, gen4, gen4/iter_6000, latest, best, or the path of a .caffemodel; `wf log` lists them.",
    ),
    "C07": Fault(
        "a training run that cannot be resumed",
        "The solver state is missing, or belongs to another solver type or net.",
        "`wf train --weights REF` starts a new run from the weights, `--fresh` from scratch.",
    ),
    # ---- settings
    "Y01": Fault(
        "settings that do not exist",
        "The YAML file named by --config or WF_CONFIG is missing.",
        "`wf init` makes a project with configs/default.yaml.",
    ),
    "Y02": Fault(
        "settings that are not YAML",
        "Indentation, a tab or a quote is wrong.",
        "Look at the line and column in the message; indent with spaces.",
    ),
    "Y03": Fault(
        "an unknown setting",
        "The key is misspelt or in the wrong block.",
        "The message names the closest; configs/default.yaml of `wf init` lists all.",
    ),
    "Y04": Fault(
        "a setting with a wrong value",
        "It has the wrong type or is outside its range.",
        "The message says what is expected. Use a decimal point: 0.5.",
    ),
    "Y05": Fault(
        "a name that YAML reads as something else",
        "Unquoted `no`, `yes`, `010` or `12:30` are not text in YAML.",
        'Quote it: `"no"`.',
    ),
    "Y06": Fault(
        "a key that is given twice",
        "YAML would silently take the last one.",
        "Remove one of the two lines that the message names.",
    ),
    "Y07": Fault(
        "settings that are refused without being read",
        "Tags, aliases, deep nesting, files over 256 KiB and encodings other than UTF-8 or UTF-16 are refused.",
        "Write plain keys and values.",
    ),
    # ---- training
    "T01": Fault(
        "the loss became NaN or infinite",
        "Training stopped at that iteration; no snapshot was written from it.",
        "Lower base_lr in the solver and start again; check that the mean belongs to the data.",
    ),
    "T08": Fault(
        "writing a snapshot failed three times",
        "The disk is full or failing. The last good snapshot is kept.",
        "Free some space, then `wf train` resumes.",
    ),
    "T09": Fault(
        "the generation's folder cannot be written to",
        "This is checked before the first iteration, so no training is lost.",
        "Look at the owner and mode of the folder, or at how the disk is mounted.",
    ),
    "T10": Fault(
        "the generation is in use",
        "Another process, perhaps on another host, prepares or trains it; the message names it.",
        "Wait until that process ends, or stop it. The lock of a process that has died is free.",
    ),
    "T13": Fault(
        "a process died or hung",
        "A worker process or Caffe was killed, often because memory ran out. A picture that causes it is skipped.",
        "Use fewer workers (`prepare.workers`) or a smaller batch_size; the message shows its last output.",
    ),
    "T14": Fault(
        "the data set changed since the snapshot",
        "Resuming would mix two data sets in one run.",
        "Prepare a new generation for the new data.",
    ),
    "T16": Fault(
        "the folder disappeared during training",
        "It was deleted or its disk was unmounted.",
        "Mount the disk again; `wf train` resumes from the newest snapshot that is left.",
    ),
    "T20": Fault(
        "a net whose batch cannot be split",
        "With `--batch split` each worker computes some rows of a batch. The layer that the message names, such as "
        "BatchNorm, needs all rows at once, or mixes them.",
        "`--batch each` lets every worker compute a whole batch of its own; or train with one worker.",
    ),
    "T21": Fault(
        "micro-batches that do not fit",
        "A batch is split into at least as many micro-batches as there are workers, and at most as many as it has "
        "rows. A resumed run keeps the number that it began with: another one gives other snapshots.",
        "Choose `--workers` and `--micro` as the message says.",
    ),
    "T22": Fault(
        "settings that do not go with several workers",
        "Several workers, and micro-batches, are for the torch engine on the CPU and for one run at a time.",
        "Remove one of the two options that the message names.",
    ),
    "T23": Fault(
        "a host does not answer",
        "Training on several hosts needs all of them: `wf train` runs on each with the same `--hosts`, and each can "
        "reach the first one. Snapshots that were written are whole.",
        "Start the command on the host that the message names, and look at addresses and firewalls.",
    ),
    "T24": Fault(
        "hosts that differ",
        "All hosts need the same version of wf, Python and PyTorch, and the same prepared generation.",
        "Install the same versions, and copy the generation's folder.",
    ),
    "T25": Fault(
        "a worker of a training died",
        "All workers restart from the last snapshot; later ones are byte-identical to those of an unbroken run. After "
        "five deaths without a new snapshot the run ends. SIGKILL often means that memory ran out.",
        "Use fewer workers or a smaller batch_size; `wf train` resumes.",
    ),
    "T26": Fault(
        "the workers' weights differ",
        "All workers must have the same weights; they are compared before each snapshot. A difference means that a "
        "machine computes wrongly or that its memory is damaged. No snapshot was written from it.",
        "Test the machines' memory, leave one out, and resume: earlier snapshots were compared, too.",
    ),
    # ---- more than one machine
    "R01": Fault(
        "no answer from Ray, or no longer",
        "No Ray answers at the address that was given, its token differs, or its head has died.",
        "Run `ray status` on the head to check that Ray is running, then repeat the command: it does what is missing.",
    ),
    "R02": Fault(
        "a worker has another version",
        "Other versions of Python, wf or Ray may give other results. The message names both.",
        "Install the same version on all machines.",
    ),
    "R03": Fault(
        "a worker does not see a folder or a picture",
        "Parts of the work travel as paths, and their results are files in the project's folder `.cluster`.",
        "Put the project and the pictures into a folder that all machines see under the same path.",
    ),
    # ---- inspecting and evaluating
    "I01": Fault(
        "the picture cannot be read",
        "The file is missing, a folder, or damaged.",
        "The message says which; `wf predict FOLDER` takes whole folders.",
    ),
    "I02": Fault(
        "no such blob",
        "The net has no blob of that name.",
        "`wf inspect IMAGE` lists all blobs; the message names the closest.",
    ),
    "E03": Fault(
        "the accuracy is below the limit",
        "The accuracy is lower than `wf evaluate --min-accuracy` requires. The results were written.",
        "The command itself worked; exit code 1 tells a script that the check failed.",
    ),
}


def fault(code: str) -> Fault:
    """The entry of a code, in upper or lower case.

    Raises:
        UsageError: there is none.
    """
    if code.upper() not in FAULTS:
        raise UsageError(f"no error has the code '{code}'", hint=did_you_mean(code.upper(), list(FAULTS)))
    return FAULTS[code.upper()]


def words(code: str) -> str:
    """The entry as text."""
    one = fault(code)
    return f"{code.upper()}: {one.title}\n\n{one.meaning}\n\n{one.remedy}"


def markdown() -> str:
    """docs/errors.md."""
    lines = [
        "# Errors",
        "",
        "<!-- Written by scripts/errors from workflow/faults.py. -->",
        "",
        'Every error has a code. `--json` gives it as `{"error": {"id": "L03", …}}`; `wf help L03` prints its entry.',
        _LETTERS,
        "",
    ]
    for code, one in FAULTS.items():
        lines += [f"## {code}: {one.title}", "", one.meaning, "", one.remedy, ""]
    return "\n".join(lines)
