"""The modules that a script can import. The interpreter has no files: what is not named here does not exist."""

# ruff: noqa
import abc, array, ast, asyncio, base64, binascii, bisect, calendar, cmath, codecs, collections, collections.abc, colorsys
import configparser, contextlib, contextvars, copy, csv, dataclasses, datetime, decimal, difflib, email.utils, enum, fnmatch
import fractions, functools, gc, graphlib, hashlib, heapq, hmac, html, html.entities, html.parser, http, inspect, io, ipaddress
import itertools, json, keyword, linecache, locale, logging, math, mimetypes, numbers, operator, os, os.path, pathlib, pickle, pprint
import queue, random, re, reprlib, secrets, shlex, statistics, string, stringprep, struct, sys, textwrap, time, timeit, token
import tokenize, tomllib, traceback, types, typing, unicodedata, urllib.parse, uuid, warnings, weakref, xml.etree.ElementTree
import zlib, _strptime
import encodings.ascii, encodings.idna, encodings.latin_1, encodings.punycode, encodings.unicode_escape, encodings.utf_16
import encodings.utf_8_sig
