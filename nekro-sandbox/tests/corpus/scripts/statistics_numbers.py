import statistics as st
v = [2, 4, 4, 4, 5, 5, 7, 9]
print(st.mean(v), st.median(v), st.mode(v), round(st.stdev(v), 4), st.pstdev(v), st.variance(v), st.quantiles(v, n=4))
print(st.fmean([1.5, 2.5]), st.multimode("aabb"), st.median_low(v), round(st.correlation([1, 2, 3], [2, 4, 7]), 4), st.harmonic_mean([40, 60]))
