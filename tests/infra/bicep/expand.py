"""A template and its parameters to all the resources that would be asked for, in every module."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.infra.bicep.bodies import faults
from tests.infra.bicep.catalogue import resource as shape_of
from tests.infra.bicep.errors import BicepError
from tests.infra.bicep.evaluate import Evaluator, Locals
from tests.infra.bicep.fits import limits, misfits
from tests.infra.bicep.functions import SUBSCRIPTION
from tests.infra.bicep.parser import Template, read
from tests.infra.bicep.syntax import (
    Call,
    Constant,
    Declaration,
    Expression,
    Fields,
    Gate,
    Loop,
    TypeExpression,
)
from tests.infra.bicep.values import (
    Deployed,
    Function,
    Module,
    Resource,
    Value,
    finished,
    started,
    written,
)

BEFORE = ("name", "scope", "parent", "dependsOn", "params")
"""Parts of a body that say where it goes, not what it is."""


@dataclass(slots=True)
class Plan:
    """What a deployment comes to."""

    resources: list[Resource] = field(default_factory=list[Resource])
    outputs: dict[str, Value] = field(default_factory=dict[str, Value])
    problems: list[str] = field(default_factory=list[str])
    """What Azure's types would refuse."""

    def of(self, kind: str) -> list[Resource]:
        """Those of a type that are made, not merely referred to."""
        same = kind.lower()
        return [each for each in self.resources if each.kind.lower() == same and not each.existing]

    def one(self, kind: str) -> Resource:
        [only] = self.of(kind)
        return only


def expand(path: Path, given: dict[str, Value]) -> Plan:
    """Raises `BicepError` for what stops a deployment before it starts, `fail()` among it."""
    plan = Plan()
    root = f"/subscriptions/{SUBSCRIPTION}"
    plan.outputs = Deployment(read(path.resolve()), given, root, plan).run()
    return plan


class Deployment(Evaluator):
    """One file, with parameters, at a place: the id of a subscription or of a resource group."""

    def __init__(self, template: Template, given: dict[str, Value], place: str, plan: Plan) -> None:
        self._template = template
        self._given = given
        self._place = place
        self._plan = plan
        self._known: dict[str, Value] = {}
        self._busy: list[str] = []

    def run(self) -> dict[str, Value]:
        """Everything there is, then the outputs."""
        for declaration in self._template.declarations.values():
            if declaration.kind in ("param", "resource", "module"):
                self.lookup(declaration.name, declaration.line)
        return {
            name: self._inside(output, lambda each=output: self.value(_value(each), {}))
            for name, output in self._template.outputs.items()
        }

    # -- names ------------------------------------------------------------------------------

    def lookup(self, name: str, line: int) -> Value:
        if name not in self._known:
            declaration = self._template.declarations.get(name)
            if declaration is None:
                raise BicepError(f"{name} is not declared", line, self._template.path.name)
            if name in self._busy:
                raise BicepError(f"{name} depends on itself", line, self._template.path.name)
            self._busy.append(name)
            self._known[name] = self._inside(declaration, lambda: self._declared(declaration))
            self._busy.remove(name)
        return self._known[name]

    def _inside(self, declaration: Declaration, work: Callable[[], Value]) -> Value:
        try:
            return work()
        except BicepError as fault:
            if fault.file:
                raise
            line = fault.line or declaration.line
            raise BicepError(fault.what, line, self._template.path.name) from None

    def _declared(self, declaration: Declaration) -> Value:
        match declaration.kind:
            case "param":
                return self._parameter(declaration)
            case "var":
                return self.value(_value(declaration), {})
            case "func":
                return self._function_of(declaration)
            case "import":
                return self._imported(declaration).lookup(declaration.name, declaration.line)
            case _:
                return self._deployed(declaration)

    def _parameter(self, declaration: Declaration) -> Value:
        if declaration.name in self._given:
            value = self._given[declaration.name]
        elif declaration.value is not None:
            value = self.value(declaration.value, {})
        else:
            raise BicepError(f"the parameter {declaration.name} is not given", declaration.line)
        if declaration.type is None:
            raise BicepError(f"{declaration.name} has no type", declaration.line)
        wrong = [
            *misfits(declaration.type, value, declaration.name, self.type_named),
            *limits(declaration.decorators, value, declaration.name),
        ]
        if wrong:
            raise BicepError("; ".join(wrong), declaration.line)
        return value

    def type_named(self, name: str) -> TypeExpression | None:
        declaration = self._template.declarations.get(name)
        if declaration is None or declaration.kind not in ("type", "import"):
            return None
        if declaration.kind == "import":
            return self._imported(declaration).type_named(name)
        return declaration.type

    def _imported(self, declaration: Declaration) -> "Deployment":
        template = read(self._template.beside(declaration.target))
        return Deployment(template, {}, self._place, self._plan)

    def _function_of(self, declaration: Declaration) -> Value:
        names = [name for name, _ in declaration.parameters]

        def call(*arguments: Value) -> Value:
            if len(arguments) != len(names):
                raise BicepError(f"{declaration.name} takes {len(names)} values", declaration.line)
            return self.value(_value(declaration), dict(zip(names, arguments, strict=True)))

        return Function(call)

    # -- functions that know where they are ---------------------------------------------------

    def surroundings(self, call: Call, arguments: list[Value]) -> Value:
        declared = self._template.declarations.get(call.name)
        if declared is not None and declared.kind in ("func", "import"):
            function = self.lookup(call.name, call.line)
            if isinstance(function, Function):
                return function(*arguments)
        words = [written(each) for each in arguments]
        match call.name:
            case "fail":
                raise BicepError(words[0], call.line)
            case "resourceGroup":
                return self._group(words)
            case "resourceId":
                return f"{self._place}/providers/{words[0]}/{words[1]}"
            case "loadTextContent":
                return self._template.beside(words[0]).read_text(encoding="utf-8")
            case _:
                raise NotImplementedError

    def _group(self, words: list[str]) -> Value:
        match words:
            case []:
                return {"id": self._place, "name": self._place.rsplit("/", 1)[-1]}
            case [name]:
                return {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}", "name": name}
            case _:
                subscription, name = words[:2]
                return {"id": f"/subscriptions/{subscription}/resourceGroups/{name}", "name": name}

    # -- resources and modules ------------------------------------------------------------------

    def _deployed(self, declaration: Declaration) -> Value:
        make = self._module if declaration.kind == "module" else self._resource
        body = _value(declaration)
        if isinstance(body, Loop):
            return [make(declaration, body.body, local) for local in self.rounds(body, {})]
        return make(declaration, body, {})

    def _resource(self, declaration: Declaration, body: Expression, local: Locals) -> Value:
        fields = self._gated(body, local)
        shape = shape_of(declaration.target)
        if shape is None:
            raise BicepError(f"Azure knows no {declaration.target}", declaration.line)
        if fields is None:
            return Deployed(None, shape.body)
        values = {key: self.value(each, local) for key, each in _named(fields)}
        kind, _, version = shape.name.partition("@")
        name = written(values.get("name"))
        made = Resource(
            kind=kind,
            version=version,
            name=name,
            id=self._id(kind, name, values),
            body={key: each for key, each in values.items() if key not in BEFORE},
            existing=declaration.existing,
            file=self._template.path.name,
            symbol=declaration.name,
            line=declaration.line,
        )
        if declaration.target != shape.name:
            self._plan.problems.append(f"{made}: it is spelt {shape.name}")
        if not declaration.existing:
            for fault in faults(shape.body, {**made.body, "name": name}, declaration.name):
                self._plan.problems.append(f"{made}: {fault}")
        self._plan.resources.append(made)
        return Deployed(made, shape.body)

    def _id(self, kind: str, name: str, values: dict[str, Value]) -> str:
        provider, *kinds = kind.split("/")
        parent, scope = values.get("parent"), values.get("scope")
        if isinstance(parent, Deployed) and parent.resource is not None:
            if kind.rsplit("/", 1)[0].lower() != parent.resource.kind.lower():
                raise BicepError(f"{kind} is no part of {parent.resource.kind}", 0)
            return f"{parent.resource.id}/{kinds[-1]}/{name}"
        if kind == "Microsoft.Resources/resourceGroups":
            return f"{self._place}/resourceGroups/{name}"
        base = self._place
        if isinstance(scope, Deployed) and scope.resource is not None:
            base = scope.resource.id
        if len(kinds) > 1:
            raise BicepError(f"{kind} needs a parent", 0)
        return f"{base}/providers/{provider}/{kinds[0]}/{name}"

    def _module(self, declaration: Declaration, body: Expression, local: Locals) -> Value:
        fields = self._gated(body, local)
        template = read(self._template.beside(declaration.target))
        if fields is None:
            return Module(None)
        values = {key: self.value(each, local) for key, each in _named(fields)}
        given = started(values.get("params") or {})
        if not isinstance(given, dict):
            raise BicepError("params is no object", declaration.line)
        place = self._scope(values.get("scope"), template, declaration.line)
        inner = Deployment(template, given, place, self._plan)
        return Module({name: finished(each) for name, each in inner.run().items()})

    def _scope(self, scope: Value, template: Template, line: int) -> str:
        if isinstance(scope, Deployed) and scope.resource is not None:
            return scope.resource.id
        if isinstance(scope, dict) and isinstance(scope.get("id"), str):
            return str(scope["id"])
        if template.scope != self._template.scope:
            raise BicepError(f"{template.path.name} needs a scope: a {template.scope}", line)
        return self._place

    def _gated(self, body: Expression, local: Locals) -> Fields | None:
        """The fields, or None where the condition says so."""
        if isinstance(body, Gate):
            return self._gated(body.body, local) if self.value(body.condition, local) else None
        if not isinstance(body, Fields):
            raise BicepError("a body is missing", body.line)
        return body


def _value(declaration: Declaration) -> Expression:
    if declaration.value is None:
        raise BicepError(f"{declaration.name} has no value", declaration.line)
    return declaration.value


def _named(fields: Fields) -> list[tuple[str, Expression]]:
    return [(str(key.value), each) for key, each in fields.entries if isinstance(key, Constant)]
