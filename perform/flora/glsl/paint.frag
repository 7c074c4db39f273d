// A petal's two faces: ground, gradient, coloured edge, flames, star, veins.
in vec2 corner;
in float number;
uniform vec3 body, tip, edge, base, flame, blotch;  // square roots of linear colours, in which all are mixed
uniform vec3 pattern;                               // where in the noise
uniform float gradient, margin, flamed, flame_scale, flame_reach, flame_style;
uniform float veins, blotched, fringe, spent;
uniform float detail;                               // 0 where a tile is too small for the finest veins .. 1
layout(location = 0) out vec4 inner;  // a: 0.5 at the cut edge
layout(location = 1) out vec4 outer;  // a: height of the veins

void main() {
    float u = corner.x * 2.0 - 1.0, v = corner.y;
    // Veins run from the base, fan out, and end at the edge: along them `vein` stays the same.
    float vein = u / (0.42 + 0.85 * v);
    vec3 own = vec3(pattern.x + number * 3.71, pattern.y * 0.6 - number * 1.93, number * 2.17 + pattern.z);
    float rim = min(1.0 - abs(u), (1.0 - v) * 1.7);
    float fine = 0.6 * noise(vec3(vein * 9.0, v * 2.0, 4.0) + own) + 0.4 * noise(vec3(vein * 21.0, v * 3.5, 6.0) + own);
    fine += detail * 0.5 * (noise(vec3(vein * 64.0, v * 5.0, 2.0) + own) - 0.5);
    float cut = fringe * (0.02 + 0.085 * v * v * smoothstep(0.25, 0.75, noise(vec3(vein * 38.0 + u * 5.0, v * 9.0, 1.0) + own)));

    float streak = 0.62 * noise(vec3(vein * 6.5 * flame_scale, v * 1.3, 0.0) + own)
        + 0.38 * noise(vec3(vein * 17.0 * flame_scale, v * 2.6, 7.0) + own);
    float cloud = noise(vec3(u * 1.6, v * 2.2, 11.0) + own);
    float up = smoothstep(gradient - 0.5, gradient + 0.55, v + 0.35 * (streak - 0.5) + 0.12 * u * u);
    vec3 skin = mix(body, tip, up);
    float foot = smoothstep(0.42, 0.02, v + 0.22 * (streak - 0.5) + 0.1 * abs(vein));
    skin = mix(skin, base, foot * 0.85);
    float border = smoothstep(0.02 + 0.42 * margin, 0.0, rim - 0.22 * margin * (streak - 0.45));
    skin = mix(skin, edge, border * (0.3 + 0.6 * margin));

    float along = exp(-vein * vein * 5.0) * smoothstep(0.02, 0.3, v) * (1.15 - 0.7 * v);
    float feather = smoothstep(0.95, 0.0, rim * 1.25 + 0.15 * (1.0 - v));
    float field = mix(along * 0.95, feather * 1.05, flame_style) + flame_reach + 0.22 * (cloud - 0.5);
    float flames = smoothstep(0.44, 0.62, field + 1.25 * (streak - 0.5));
    skin = mix(skin, flame, flames * (1.0 - 0.75 * foot) * flamed);

    float ridge = veins * (0.6 + 0.7 * foot + 0.3 * up) * (fine - 0.5);
    skin *= 1.0 + 0.42 * ridge + 0.24 * (cloud - 0.5);
    skin *= 1.0 - 0.1 * veins * exp(-vein * vein * 300.0) * smoothstep(1.0, 0.3, v);
    skin = mix(skin, skin * vec3(0.78, 0.66, 0.5), spent * smoothstep(0.16, 0.0, rim + 0.12 * (cloud - 0.5)));
    float star = smoothstep(0.46, 0.34, v / max(blotched, 0.05) * (1.0 + 0.9 * abs(vein)) + 0.2 * (fine - 0.5))
        * smoothstep(0.12, 0.5, blotched);
    inner = vec4(mix(skin, blotch, 0.92 * star), 0.5 + 4.0 * (rim - cut));
    outer = vec4(mix(skin, blotch, 0.22 * star), fine);
}
