"""Models as functions of a user's file: what fails in Python, and weights that cannot be."""

from __future__ import annotations

from tests.netweave.bad_inputs.models import LAYERS, MODULES, refused
from tests.netweave.bad_inputs.support import Command, rows_of

# whole files: name, content, what the error says
FILES = [
    ("an exit", "import sys\nsys.exit(3)", "own.py:build': ... does not import: SystemExit: 3"),
    ("no syntax", "def build(:\n    pass", "own.py:build': ... does not import: SyntaxError: invalid syntax"),
    ("a tab among spaces", "def build():\n    x = 1\n\ty = 2", "does not import: TabError: inconsistent use of tabs"),
    ("a zero", "x = 1\0", "own.py:build': ... does not import: "),
    ("not UTF-8", "# -*- coding: klingon -*-", "does not import: SyntaxError: "),
    ("no such module", "import no_such_module", "does not import: ModuleNotFoundError: No module named"),
    ("no such name", "from torch import no_such_name", "own.py:build': ... does not import: ImportError: cannot"),
    ("a file that is missing", "open('absent.pt')", "does not import: FileNotFoundError: [Errno 2] No such file or"),
    ("a recursion", "def f():\n    f()\nf()", "does not import: RecursionError: maximum recursion depth exceeded"),
    ("nothing", "", "own.py:build': ... own.py has no function 'build'; it has none"),
    ("another function", "def built():\n    pass", "own.py has no function 'build'; it has built"),
    ("a value of this name", "build = 3", "own.py has no function 'build'; it has none"),
    ("an argument", "def build(width):\n    pass", "the function failed: TypeError: build() missing 1 required"),
]  # fmt: skip


@rows_of("content, says", FILES)
def test_files(command: Command, content: str, says: str) -> None:
    refused(command, content + "\n", says)


# bodies of a function that returns a model: name, body, what the error says
FUNCTIONS = [
    ("an exit", "import sys; sys.exit(3)", "own.py:build': the function failed: SystemExit: 3"),
    ("a quit", "quit()", "own.py:build': the function failed: SystemExit"),
    ("a failure", "1 / 0", "own.py:build': the function failed: ZeroDivisionError: division by zero"),
    ("a recursion", "return build()", "own.py:build': the function failed: RecursionError: maximum recursion depth"),
    ("weights that are missing", "return torch.load('absent.pt')", "the function failed: FileNotFoundError: [Errno"),
    ("nothing", "print('made')", "own.py:build': the function must return a torch.nn.Module, not NoneType"),
    ("a number", "return 3", "the function must return a torch.nn.Module, not int"),
    ("a class", "return nn.Linear", "the function must return a torch.nn.Module, not type"),
    ("a tensor", "return torch.zeros(3)", "the function must return a torch.nn.Module, not Tensor"),
    ("a state", "return nn.Linear(64, 10).state_dict()", "must return a torch.nn.Module, not OrderedDict"),
    ("one by one", "yield nn.Linear(64, 10)", "must return a torch.nn.Module, not generator"),
    ("a list of layers", f"return [{LAYERS}]", "must return a torch.nn.Module, not list"),
    ("a failure in training", "return Failing(lambda x: x)", "fails in training: RuntimeError: not today"),
    (
        "nothing to train", f"return nn.Sequential({LAYERS}).requires_grad_(False)",
        "train.epochs: 1, but model ... has no parameter that training may change",
    ),
    ("no layers", "return nn.Sequential()", "network 'net' gives 8x8x1; data set 'digits' needs 1x1x10"),
    ("no parameters", "return nn.Sequential(nn.Flatten())", "network 'net' gives 8x8x1; data set 'digits' needs"),
]  # fmt: skip


@rows_of("body, says", FUNCTIONS)
def test_functions(command: Command, body: str, says: str) -> None:
    refused(command, f"{MODULES}\ndef build():\n    {body}\n", says)


# what a weight holds: name, change of a network m of LAYERS, what the error says
WEIGHTS = [
    ("none", "m[0].weight.data[0] = float('nan')", "0.weight: holds nan; every weight must be finite"),
    ("without end", "m[3].bias.data[0] = float('-inf')", "3.bias: holds -inf; every weight must be finite"),
    ("too large", "m[3].weight.data.fill_(3e38)", "layer 'linear_3': its outputs on 'digits' are not finite; the"),
    ("in double", "m.double()", "has weights of torch.float64; they must be of torch.float32"),
    ("in half", "m.half()", "has weights of torch.float16; they must be of torch.float32"),
    (
        "complex", "m[3].weight = nn.Parameter(m[3].weight.to(torch.complex64))",
        "has weights of torch.complex64; they must be",
    ),
    (
        "a complex buffer", "m.register_buffer('b', torch.zeros(1, dtype=torch.complex64))",
        "b: is of torch.complex64; must be",
    ),
    ("without a place", "m.to('meta')", "0.weight: lies on meta; must be on cpu"),
    ("without a shape", "m[3] = nn.LazyLinear(10)", "3.weight: has no shape yet, as a lazy module's; run the model"),
    (
        "of none", "m[0].weight = nn.Parameter(torch.zeros(0, 1, 3, 3))",
        "3: Linear with in_features 128 is not supported: its input has 0 features",
    ),
    (
        "of three axes", "m[0].weight = nn.Parameter(torch.zeros(8, 1, 3))",
        "Sequential: fails on images of 8x8x1: expected stride to be a single integer value or a list of 1 values to",
    ),
    ("no weight", "m[0].weight = None", "0: Conv2d cannot be taken with what it is called with: object of"),
    (
        "a bias of another length", "m[3].bias = nn.Parameter(torch.zeros(7))",
        "Sequential: fails on images of 8x8x1: The expanded size of the tensor (10) must match the existing size (7)",
    ),
    (
        "a variance below 0", "m.insert(0, nn.BatchNorm2d(1)); m[0].running_var.fill_(-1)",
        "Sequential: its outputs are not finite; are its weights too large, or a variance negative?",
    ),
    (
        "no variance, no eps", "m.insert(0, nn.BatchNorm2d(1, eps=0.0)); m[0].running_var.fill_(0)",
        "Sequential: its outputs are not finite; are its weights too large, or a variance negative?",
    ),
    (
        "a variance that is none", "m.insert(0, nn.BatchNorm2d(1)); m[0].running_var.fill_(float('nan'))",
        "0.running_var: holds nan; every weight must be finite",
    ),
    (
        "no mean and no variance", "m.insert(0, nn.BatchNorm2d(1, track_running_stats=False))",
        "0: BatchNorm2d with track_running_stats False is not supported: running statistics are needed",
    ),
    ("too many channels", "m.insert(0, nn.BatchNorm2d(2))", "0: BatchNorm2d with num_features 2 is not supported:"),
]  # fmt: skip


@rows_of("change, says", WEIGHTS)
def test_weights(command: Command, change: str, says: str) -> None:
    refused(command, f"{MODULES}\ndef build():\n    m = nn.Sequential({LAYERS})\n    {change}\n    return m\n", says)
