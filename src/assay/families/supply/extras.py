"""The packages of the extra ``supply``, imported when they are needed."""

from __future__ import annotations

from assay.extras import Extra

_SUPPLY = Extra("supply", {"torch": "supply,transformers", "transformers": "supply,transformers"})
require, extra = _SUPPLY.require, _SUPPLY.load
