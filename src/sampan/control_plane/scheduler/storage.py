"""Claims, volumes and classes as the volume plug-in and the binder ask for them, from informers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sampan.api import kinds
from sampan.client.cache import Informers

Object = dict[str, Any]

CLAIMS: Final = kinds.of("v1", "PersistentVolumeClaim")
VOLUMES: Final = kinds.of("v1", "PersistentVolume")
CLASSES: Final = kinds.of("storage.k8s.io/v1", "StorageClass")


class Storage:
    def __init__(self, informers: Informers) -> None:
        self._claims = informers.of(CLAIMS)
        self._volumes = informers.of(VOLUMES)
        self._classes = informers.of(CLASSES)

    def claim(self, namespace: str, name: str) -> Object | None:
        return self._claims.find(namespace, name)

    def volume(self, name: str) -> Object | None:
        return self._volumes.get(name)

    def volumes(self) -> Iterable[Object]:
        return self._volumes

    def storage_class(self, name: str) -> Object | None:
        return self._classes.get(name)

    def on_change(self, handler: Callable[[], None]) -> None:
        for informer in (self._claims, self._volumes, self._classes):
            informer.on_change(lambda old, new: handler())
