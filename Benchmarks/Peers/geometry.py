"""Times exact k-nearest neighbours of a set among itself: Faiss's flat index, scikit-learn's brute force.

Timed: vectors in memory (float32) to each one's k neighbours, itself left out, and their distances.
Faiss knows nothing of a vector itself: it is asked for one neighbour more, and the vector taken out
by its index. Both compute |x|^2 - 2xy + |y|^2 in float32 and leave it at that; Weft recomputes the
neighbours' distances in double precision and proves that none is missing.

The vectors are those of `weft bench neighbours`, number for number, so that the mean distance of all
neighbours must agree to about six digits.
"""

import numpy
from threadpoolctl import threadpool_limits

from inputs import normal_numbers
from measure import common_arguments, measure, report


def faiss_neighbours(vectors, k):
    import faiss

    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    squares, indices = index.search(vectors, k + 1)
    rows = numpy.arange(len(vectors))[:, None]
    others = indices != rows
    # Where copies push a vector out of its own list the last one is left out instead.
    others[others.all(1), -1] = False
    shape = (len(vectors), k)
    return indices[others].reshape(shape), numpy.sqrt(numpy.maximum(squares[others].reshape(shape), 0))


def sklearn_neighbours(vectors, k):
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(vectors)
    distances, indices = search.kneighbors()
    return indices, distances


FORMS = {"faiss": faiss_neighbours, "sklearn": sklearn_neighbours}


def main():
    parser = common_arguments(__doc__, repetitions=5)
    parser.add_argument("--form", choices=FORMS, default="faiss")
    parser.add_argument("--vectors", type=int, default=20_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("-k", type=int, default=10)
    arguments = parser.parse_args()

    vectors = normal_numbers(arguments.vectors * arguments.dimension, 1).numpy()
    vectors = vectors.reshape(arguments.vectors, arguments.dimension)
    if arguments.form == "faiss":
        import faiss

        faiss.omp_set_num_threads(arguments.threads)
    with threadpool_limits(limits=arguments.threads):
        (_, distances), times = measure(
            lambda: FORMS[arguments.form](vectors, arguments.k), arguments.warmup, arguments.repetitions)
    products = 2 * arguments.vectors**2 * arguments.dimension
    report(
        times | {
            "gflops": products / times["median_seconds"] / 1e9,
            "mean_distance": float(distances.astype(numpy.float64).mean()),
        }, arguments.json)


if __name__ == "__main__":
    main()
