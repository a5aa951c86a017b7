"""References to other objects. None has a namespace: what is referred to is in the namespace of who refers."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from usher.api.v1alpha1.rules import Matches, Strict

ObjectName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=253),
    Matches(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "must be the name of a Kubernetes object: lower-case letters, digits, '-' and '.'",
    ),
]
DataKey: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=253),
    Matches(r"[-._a-zA-Z0-9]+", "must be a key of a Secret or ConfigMap: letters, digits, '-', '_' and '.'"),
]


class NameRef(Strict):
    """An object of the same namespace."""

    name: ObjectName = Field(description="Name of the object, in the same namespace.")


class SecretKeyRef(Strict):
    """A key of a Secret of the same namespace."""

    name: ObjectName = Field(description="Name of the Secret, in the same namespace.")
    key: DataKey = Field(description="Key in the Secret's data.")


class ConfigMapKeyRef(Strict):
    """A key of a ConfigMap of the same namespace."""

    name: ObjectName = Field(description="Name of the ConfigMap, in the same namespace.")
    key: DataKey = Field(description="Key in the ConfigMap's data.")


class CaRef(Strict):
    """Where a certificate authority is found, in PEM."""

    kind: Literal["Secret", "ConfigMap"] = Field(description="Kind of the object that holds the certificates.")
    name: ObjectName = Field(description="Name of the object, in the same namespace.")
    key: DataKey = Field(description="Key in the object's data, such as ca.crt.")
