import csv
import io
text = "name,qty,price\npen,2,1.50\n\"big, nib\",1,0.75\n"
rows = list(csv.DictReader(io.StringIO(text)))
print(rows, sum(int(r["qty"]) * float(r["price"]) for r in rows))
out = io.StringIO()
w = csv.writer(out, delimiter=";")
w.writerow(["a", 'say "hi"', 3])
w.writerows([[1, 2], ["x;y", None]])
print(out.getvalue().replace("\r\n", "|"))
dw = csv.DictWriter(out2 := io.StringIO(), fieldnames=["a", "b"], extrasaction="ignore")
dw.writeheader()
dw.writerow({"a": 1, "b": 2, "c": 3})
print(repr(out2.getvalue()), next(csv.reader(["a b,c"])))
