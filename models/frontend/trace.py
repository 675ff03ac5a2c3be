"""``trace``: from a module of standard layers to a float plan, by torch.fx.

The standard modules are leaves; the code between them is traced through their ``forward``. One error names every
unsupported operation with its module path before anything is built.
"""

from __future__ import annotations

import copy
import operator
from dataclasses import replace
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_arg
from torch.nn.parameter import is_lazy

from models.frontend.build import PlanBuilder, SettingError, Value
from models.frontend.endings import ENDINGS, dim_of, ending_of
from models.frontend.fold import fold_batchnorm, fuse_clips
from models.frontend.operations import FUNCTIONS, MODULES
from models.ir.node import Shape
from models.layers.input import InputLayer
from models.plan import FloatPlan

TOLERANCE = 1e-6
CLASS_DIMS = (None, 1, -1)
CHECK_DENSITY = 0.3
"""Fraction of active sites in the sparse images with which a trace is checked."""


class TraceError(ValueError):
    """A network that cannot be traced or holds an unsupported operation; the message names its module path."""


def trace(model: nn.Module, shape: Shape, name: str = "network", sparse: bool = False) -> FloatPlan:
    """Trace a module in eval mode; batch norms are folded and activations fused.

    Parameters
        model      module, which stays as it is
        shape      shape of the images
        name       name of the plan
        sparse     whether images have active sites only; the module computes on dense and on sparse images
    """
    return trace_for(model, InputLayer(name="input", shape=shape, sparse=sparse), name)


def trace_for(model: nn.Module, source: InputLayer, name: str = "network") -> FloatPlan:
    """Trace a module for the images of an input layer.

    A softmax, log-softmax or sigmoid at the end of the module is left out; the plan's ``notes`` say so.

    Parameters
        model      module, which stays as it is
        source     input layer of the plan
        name       name of the plan
    """
    model = copy.deepcopy(model).eval()
    _refuse_weights(model)
    graph = _symbolic(model)
    ending, notes = _without_ending(model, graph)
    _refuse_unknown(model, graph)
    plan = fuse_clips(fold_batchnorm(_build(model, graph, source, name, torch.float32)))
    # the check uses double precision, in which folding changes no output by more than the tolerance
    double = _build(model.double(), graph, source, name, torch.float64)
    _check_same(model, fuse_clips(fold_batchnorm(double)), ending)
    return replace(plan, ending=ending, notes=notes)


def _symbolic(model: nn.Module) -> fx.Graph:
    tracer = fx.Tracer()
    try:
        graph = tracer.trace(model)
    except Exception as error:
        where = next(reversed(tracer.module_stack), "") if tracer.module_stack else ""
        raise TraceError(
            f"{where or type(model).__name__}: cannot be traced, its control flow or calls depend on the data: {error}"
        ) from error
    inputs = [node.name for node in graph.nodes if node.op == "placeholder"]
    if len(inputs) != 1:
        raise TraceError(f"{type(model).__name__}: takes {len(inputs)} inputs ({', '.join(inputs)}); must take 1")
    graph.eliminate_dead_code(lambda node: node.op in ("placeholder", "output"))
    return graph


def _without_ending(model: nn.Module, graph: fx.Graph) -> tuple[str, tuple[str, ...]]:
    """Remove an operation of ``ENDINGS`` from the end of ``graph``; return its key and a note."""
    output = next(iter(reversed(graph.nodes)))
    last = output.args[0]
    ending = ending_of(model, last) if isinstance(last, fx.Node) else ""
    if not ending:
        return "", ()
    assert isinstance(last, fx.Node)
    path, operation, dim = _path(last), _operation(model, last), dim_of(model, last)
    if dim not in CLASS_DIMS:
        raise TraceError(f"{path}: {operation} with dim {dim} is not supported: must be 1, that of the classes")
    output.args = (last.all_input_nodes[0],)
    graph.erase_node(last)
    return ending, (
        f"{path}: {operation} ends the network and is left out, as it leaves the largest output the largest",
    )


def _refuse_weights(model: nn.Module) -> None:
    """Refuse weights that are not finite real numbers on the CPU."""
    for name, tensor in model.state_dict().items():
        if is_lazy(tensor):
            raise TraceError(f"{name}: has no shape yet, as a lazy module's; run the model once before it is given")
        if tensor.device.type != "cpu":
            raise TraceError(f"{name}: lies on {tensor.device}; must be on cpu")
        if tensor.is_complex():
            raise TraceError(f"{name}: is of {tensor.dtype}; must be real")
        if not torch.isfinite(tensor).all():
            value = tensor[~torch.isfinite(tensor)].flatten()[0].item()
            raise TraceError(f"{name}: holds {value}; every weight must be finite; has its training diverged?")


def _refuse_unknown(model: nn.Module, graph: fx.Graph) -> None:
    unknown = []
    for node in graph.nodes:
        if node.op == "call_module":
            module = model.get_submodule(str(node.target))
            supported = type(module) in MODULES
        else:
            supported = node.op not in ("call_function", "call_method") or node.target in FUNCTIONS
        if not supported:
            unknown.append(f"{_path(node)}: {_operation(model, node)} is not supported")
    if unknown:
        modules = ", ".join(kind.__name__ for kind in MODULES)
        raise TraceError("\n".join([*unknown, f"supported are {modules}, their functional forms, and addition"]))


def _build(model: nn.Module, graph: fx.Graph, source: InputLayer, name: str, dtype: torch.dtype) -> FloatPlan:
    build = PlanBuilder(name, source)
    values: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        build.path = _path(node)
        if node.op == "placeholder":
            values[node] = build.input(dtype)
        elif node.op == "get_attr":
            values[node] = operator.attrgetter(str(node.target))(model)
        elif node.op == "output":
            result = map_arg(node.args[0], values.__getitem__)
            if not isinstance(result, Value):
                kind = type(result).__name__.removeprefix("immutable_")  # as torch.fx keeps lists and dicts
                raise TraceError(f"{type(model).__name__}: must return one tensor, not {kind}")
            try:
                return build.plan(result)
            except SettingError as error:
                raise TraceError(f"{type(model).__name__}: output with {error}") from error
        else:
            args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
            try:
                if node.op == "call_module":
                    module = model.get_submodule(str(node.target))
                    values[node] = MODULES[type(module)](build, module, *args, **kwargs)
                else:
                    values[node] = FUNCTIONS[node.target](build, *args, **kwargs)
            except SettingError as error:
                raise TraceError(f"{_path(node)}: {_operation(model, node)} with {error}") from error
            except (AttributeError, IndexError, TypeError) as error:
                why = f"cannot be taken with what it is called with: {error}"
                raise TraceError(f"{_path(node)}: {_operation(model, node)} {why}") from error
    raise TraceError(f"{type(model).__name__}: returns nothing")


def _check_same(model: nn.Module, plan: FloatPlan, ending: str) -> None:
    """Refuse a module whose outputs differ from those of its plan, such as one that relies on writing in place."""
    source = plan.input
    height, width, channels = source.shape
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)
    if source.sparse:
        x *= torch.rand(2, 1, height, width, generator=generator) < CHECK_DENSITY
    with torch.no_grad():
        try:
            expected = model(source.module_input(x.clone())).flatten(1)
        except Exception as error:
            form = f"[n, {channels}]" if source.flat else f"images of {source.shape}"
            raise TraceError(f"{type(model).__name__}: fails on {form}: {error}") from error
        result = ENDINGS[ending].apply(plan.logits(x))
    if not torch.isfinite(expected).all():
        raise TraceError(
            f"{type(model).__name__}: its outputs are not finite; are its weights too large, or a variance negative?"
        )
    if not torch.allclose(expected, result, rtol=0, atol=TOLERANCE * max(1.0, expected.abs().max().item())):
        raise TraceError(
            f"{type(model).__name__}: computes other outputs than its trace; an operation that writes in place must be "
            "used only through its result, and nothing may depend on the data"
        )


def _path(node: fx.Node) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    module = next(reversed(stack), "") if stack else ""
    if node.op == "call_module":
        return str(node.target)
    function = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    # boolean_dispatch hides the function's own name; the node's carries it
    function = node.name.rstrip("0123456789_") if function == "fn" else function.strip("_")
    function = {"iadd": "add"}.get(function, function)
    return f"{module}.{function}" if module else function


def _operation(model: nn.Module, node: fx.Node) -> str:
    if node.op == "call_module":
        return type(model.get_submodule(str(node.target))).__name__
    return _path(node).rpartition(".")[2]
