/* MPI_Allreduce of float32 sums: one line of "count microseconds wrong" for each size.
 * Usage: mpirun -np N allreduce COUNT:REPETITIONS:WARMUPS... ; microseconds are the mean on the slowest rank. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static float contribution(int rank, long index) { return (float)((index * 7 + rank * 13) % 1021 - 500); }

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  for (int size = 1; size < argc; size++) {
    long count, repetitions, warm_ups, wrong = 0, all_wrong = 0;
    if (sscanf(argv[size], "%ld:%ld:%ld", &count, &repetitions, &warm_ups) != 3) MPI_Abort(MPI_COMM_WORLD, 2);
    float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    float *sums = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    for (long i = 0; i < count; i++) values[i] = contribution(rank, i);
    for (long i = 0; i < warm_ups; i++) MPI_Allreduce(values, sums, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    double began = MPI_Wtime();
    for (long i = 0; i < repetitions; i++) MPI_Allreduce(values, sums, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    double mean = (MPI_Wtime() - began) * 1e6 / repetitions, slowest;
    for (long i = 0; i < count; i++) {
      float expected = 0;
      for (int other = 0; other < ranks; other++) expected += contribution(other, i);
      if (sums[i] != expected) wrong++;
    }
    MPI_Reduce(&mean, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    MPI_Reduce(&wrong, &all_wrong, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) printf("%ld %.3f %ld\n", count, slowest, all_wrong);
    free(values);
    free(sums);
  }
  MPI_Finalize();
  return 0;
}
