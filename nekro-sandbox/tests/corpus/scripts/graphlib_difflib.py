import difflib
import fnmatch
import graphlib
import shlex
print(list(graphlib.TopologicalSorter({"d": {"b", "c"}, "b": {"a"}, "c": {"b"}}).static_order()))
print(difflib.get_close_matches("appel", ["ape", "apple", "peach"]), round(difflib.SequenceMatcher(None, "abcd", "bcde").ratio(), 2))
print("\n".join(difflib.unified_diff("a b c".split(), "a x c".split(), lineterm="")))
print(fnmatch.filter(["a.py", "b.txt"], "*.py"), shlex.split("run 'a b' --x=1"))
