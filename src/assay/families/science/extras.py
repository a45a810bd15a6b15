"""The packages of the extra ``science``, imported when they are needed."""

from __future__ import annotations

from assay.extras import Extra

_SCIENCE = Extra("science")
require, extra = _SCIENCE.require, _SCIENCE.load
