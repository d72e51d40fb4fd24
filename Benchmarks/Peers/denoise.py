"""Times a diffusion sampler's step and exact denoiser: diffusers, PyTorch by hand, and plain copies.

Timed: a sample and a network's output in memory, to the next sample, as a trajectory of
`--steps-per-run` steps that take one another's results; times are of one step. Not timed: the
network (its output stays the same) and the schedule's tables. float32; the epsilon is predicted,
x0 is clipped to 1. The averages' points are normal numbers, their samples points with the noise of
`--alpha-bar`.

    ddpm         diffusers' DDPMScheduler.step, with its noise
    ddim         diffusers' DDIMScheduler.step, without noise
    lean         DDPM by someone who counts passes: in place, without allocating
    torch-copy   Tensor.copy_
    opencl-copy  y[i] = x[i] as an OpenCL kernel, on the first device that OpenCL lists
    average      one evaluation of a data set's exact denoiser: distances, softmax and weighted mean,
                 `--chunk` points at a time with a running maximum, in place where PyTorch can
    average-whole  the same with all distances at once: cdist, softmax, matmul

`step_bytes` is what a fused step has to read and write: three arrays, or two for a copy.
"""

import math

import torch

from measure import common_arguments, measure, report


def scheduler_steps(arguments, sample, output):
    from diffusers import DDIMScheduler, DDPMScheduler
    kind = DDPMScheduler if arguments.case == "ddpm" else DDIMScheduler
    scheduler = kind(num_train_timesteps=1000, clip_sample=True)
    scheduler.set_timesteps(1000)
    times = middle_times(arguments)

    def run():
        x = sample
        for time in times:
            x = scheduler.step(output, time, x).prev_sample
        return x
    return run


def middle_times(arguments):
    """Timesteps around 500, so that none is the last, which has no noise."""
    return [500 - step % 400 for step in range(arguments.steps_per_run)]


def lean_steps(arguments, sample, output):
    beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    alpha_bar = (1 - beta).cumprod(0)
    rows = []
    for time in middle_times(arguments):
        now, before = alpha_bar[time].item(), alpha_bar[time - 1].item()
        alpha = now / before
        rows.append((now**-0.5, -math.sqrt(1 / now - 1),
                     math.sqrt(alpha) * (1 - before) / (1 - now),
                     math.sqrt(before) * (1 - alpha) / (1 - now),
                     math.sqrt((1 - before) / (1 - now) * (1 - alpha))))
    x, x0, noise = sample.clone(), torch.empty_like(sample), torch.empty_like(sample)

    def run():
        for p, q, a, b, c in rows:
            torch.mul(output, q, out=x0).add_(x, alpha=p).clamp_(-1, 1)
            x.mul_(a).add_(x0, alpha=b).add_(noise.normal_(), alpha=c)
        return x
    return run


def torch_copies(arguments, sample, output):
    def run():
        for step in range(arguments.steps_per_run):
            (sample if step % 2 else output).copy_(output if step % 2 else sample)
        return output
    return run


def opencl_copies(arguments, sample, output):
    import pyopencl as cl
    context = cl.Context([cl.get_platforms()[0].get_devices()[0]])
    queue = cl.CommandQueue(context)
    # 16 floats a work-item; the driver chooses the groups.
    if sample.numel() % 16 != 0:
        raise SystemExit("opencl-copy takes whole vectors: a multiple of 16 elements")
    program = cl.Program(context, """
        __kernel void copy(const __global float16 *restrict x, __global float16 *restrict y)
        { const size_t i = get_global_id(0); y[i] = x[i]; }""").build()
    use = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
    buffers = [cl.Buffer(context, use, hostbuf=tensor.numpy()) for tensor in (sample, output)]
    kernels = [cl.Kernel(program, "copy") for _ in buffers]
    kernels[0].set_args(*buffers)
    kernels[1].set_args(*reversed(buffers))

    def run():
        for step in range(arguments.steps_per_run):
            cl.enqueue_nd_range_kernel(queue, kernels[step % 2], (sample.numel() // 16,), None)
        queue.finish()
        return buffers  # kernels do not keep their arguments
    return run


def average_inputs(arguments, generator):
    elements = math.prod(map(int, arguments.shape.split(",")))
    points = torch.randn(arguments.points, elements, generator=generator)
    picked = points[torch.randint(arguments.points, (arguments.batch,), generator=generator)]
    alpha, sigma = math.sqrt(arguments.alpha_bar), math.sqrt(1 - arguments.alpha_bar)
    noise = torch.randn(arguments.batch, elements, generator=generator)
    return points, alpha * picked + sigma * noise, alpha, sigma


def whole_average(arguments, points, x, alpha, sigma):
    scaled, factor = alpha * points, -0.5 / sigma**2

    def run():
        logits = torch.cdist(x, scaled).square_().mul_(factor)
        return torch.softmax(logits, dim=1) @ points
    return run


def chunked_average(arguments, points, x, alpha, sigma):
    # |x|^2 is the same for all points of a sample: the softmax does not see it.
    parts = [(part, part.T.contiguous(), part.square().sum(1).mul_(-0.5 * alpha**2 / sigma**2))
             for part in points.split(arguments.chunk)]
    scale = alpha / sigma**2

    def run():
        largest = torch.full((len(x), 1), -torch.inf)
        total = torch.zeros(len(x), 1)
        mean = torch.zeros_like(x)
        for part, columns, squares in parts:
            logits = torch.addmm(squares, x, columns, alpha=scale)
            new = torch.maximum(largest, logits.amax(1, keepdim=True))
            weights = logits.sub_(new).exp_()
            fade = (largest - new).exp_()
            total.mul_(fade).add_(weights.sum(1, keepdim=True))
            mean.mul_(fade).addmm_(weights, part)
            largest = new
        return mean.div_(total)
    return run


AVERAGES = {"average": chunked_average, "average-whole": whole_average}
CASES = {"ddpm": scheduler_steps, "ddim": scheduler_steps, "lean": lean_steps,
         "torch-copy": torch_copies, "opencl-copy": opencl_copies}


def main():
    parser = common_arguments(__doc__.splitlines()[0], repetitions=5)
    parser.add_argument("--case", choices=[*CASES, *AVERAGES], default="ddpm")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--shape", default="3,64,64", help="a sample's dimensions")
    parser.add_argument("--steps-per-run", type=int, default=10)
    parser.add_argument("--points", type=int, default=100_000, help="the averages' data set")
    parser.add_argument("--alpha-bar", type=float, default=0.5, help="how noisy the averages' samples are")
    parser.add_argument("--chunk", type=int, default=1024, help="points that are averaged at a time")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    generator = torch.Generator().manual_seed(arguments.seed)
    if arguments.case in AVERAGES:
        inputs = average_inputs(arguments, generator)
        with torch.inference_mode():
            run = AVERAGES[arguments.case](arguments, *inputs)
            _, timing = measure(run, arguments.warmup, arguments.repetitions)
        pairs = arguments.points * arguments.batch
        report({
            "case": arguments.case,
            "points": arguments.points,
            "batch": arguments.batch,
            "shape": arguments.shape,
            "alpha_bar": arguments.alpha_bar,
        } | timing | {"pairs_per_second": pairs / timing["median_seconds"]}, arguments.json)
        return
    shape = [arguments.batch, *map(int, arguments.shape.split(","))]
    sample, output = (torch.randn(shape, generator=generator) for _ in range(2))
    with torch.inference_mode():
        run = CASES[arguments.case](arguments, sample, output)
        _, timing = measure(run, arguments.warmup, arguments.repetitions)

    for name in ("median_seconds", "min_seconds", "max_seconds", "cpu_seconds"):
        timing[name] /= arguments.steps_per_run
    step_bytes = (2 if arguments.case.endswith("copy") else 3) * 4 * sample.numel()
    report({
        "case": arguments.case,
        "batch": arguments.batch,
        "shape": arguments.shape,
        "steps_per_run": arguments.steps_per_run,
    } | timing | {
        "step_bytes": step_bytes,
        "gigabytes_per_second": step_bytes / timing["median_seconds"] / 1e9,
    }, arguments.json)


if __name__ == "__main__":
    main()
