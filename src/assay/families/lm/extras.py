"""The packages of the extras ``lm``, ``transformers`` and ``harness``, imported when they are needed."""

from __future__ import annotations

from assay.extras import Extra

_HARNESS = Extra("harness")
require_harness, harness = _HARNESS.require, _HARNESS.load
