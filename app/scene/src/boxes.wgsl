// Boxes with hairlines for edges. Faces are shaded by where they look alone, so that a top has just the colour of the legend.

struct Hall {
    projection: mat4x4<f32>,
}
@group(0) @binding(0) var<uniform> hall: Hall;

struct Corner {
    @location(0) place: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) low: vec3<f32>,
    @location(3) size: vec3<f32>,
    @location(4) colour: vec4<f32>,
    @location(5) edge: vec4<f32>,
    @location(6) hatch: vec4<f32>,
    @location(7) style: vec2<f32>,
}

struct Seen {
    @builtin(position) position: vec4<f32>,
    @location(0) at: vec3<f32>,
    @location(1) @interpolate(flat, either) normal: vec3<f32>,
    @location(2) @interpolate(flat, either) size: vec3<f32>,
    @location(3) @interpolate(flat, either) colour: vec4<f32>,
    @location(4) @interpolate(flat, either) edge: vec4<f32>,
    @location(5) @interpolate(flat, either) hatch: vec4<f32>,
    @location(6) @interpolate(flat, either) style: vec2<f32>,
}

@vertex
fn place(corner: Corner) -> Seen {
    let at = corner.place * corner.size;
    return Seen(
        hall.projection * vec4<f32>(corner.low + at, 1.0),
        at, corner.normal, corner.size, corner.colour, corner.edge, corner.hatch, corner.style,
    );
}

// Stripes of a width, each `part` of it, as wide as a pixel at least and fading to their mean where they are finer.
fn stripes(at: f32, width: f32, part: f32) -> f32 {
    let turn = at / width;
    let blur = max(fwidth(turn), 1e-5);
    let distance = abs(fract(turn) - 0.5) * 2.0;
    let sharp = smoothstep(1.0 - part - blur, 1.0 - part + blur, distance);
    return mix(sharp, part, clamp(blur * 2.0 - 0.4, 0.0, 1.0));
}

@fragment
fn colour(seen: Seen) -> @location(0) vec4<f32> {
    let facing = abs(seen.normal);
    let is_front = seen.normal.y * seen.style.y > 0.5;
    let is_side = 1.0 - facing.z;

    var shown = seen.colour.rgb;
    let hatched = stripes(seen.at.x + seen.at.y + seen.at.z, 0.3, 0.3) * seen.hatch.a;
    shown = mix(shown, seen.hatch.rgb, hatched);

    // The doors of a front: a line for every eight units of height, within a frame.
    let doors = stripes(seen.at.z + 0.1, 0.356, 0.07);
    let framed = step(0.05, seen.at.x) * step(seen.at.x, seen.size.x - 0.05) * step(0.06, seen.at.z);
    shown = shown * (1.0 - select(0.0, doors * framed * 0.3, is_front));

    // Light from above; the floor's shade on what stands on it.
    let light = dot(facing, vec3<f32>(0.8, select(0.84, 0.92, is_front), 1.0));
    let foot = mix(1.0, mix(0.86, 1.0, smoothstep(0.0, 0.7, seen.at.z)), is_side);
    shown = shown * light * foot;

    // Edges, in pixels; thinner than a few of them, a face keeps its own colour.
    let step_m = max(fwidth(seen.at), vec3<f32>(1e-6));
    let from_edge = min(seen.at, seen.size - seen.at) / step_m + facing * 1e6;
    let nearest = min(from_edge.x, min(from_edge.y, from_edge.z));
    let across = seen.size / step_m + facing * 1e6;
    let room = clamp((min(across.x, min(across.y, across.z)) - 2.0) / 8.0, 0.0, 1.0);
    let width = abs(seen.style.x);
    let line = 1.0 - smoothstep(width - 0.5, width + 0.5, nearest);
    if seen.style.x < 0.0 {
        // A frame: its lines and nothing between them.
        if line < 0.02 {
            discard;
        }
        return vec4<f32>(seen.edge.rgb, line);
    }
    return vec4<f32>(mix(shown, seen.edge.rgb, line * room * seen.edge.a), 1.0);
}
