#!/usr/bin/python3
"""Runs an end-to-end test with simulated modems of one family: as.py PERSONALITY TEST BUILD [NAME…]"""
import os
import sys

os.environ["SIMGATE_PERSONALITY"] = sys.argv[1]
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
