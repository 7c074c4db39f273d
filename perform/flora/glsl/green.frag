// Stem, leaves, pistil and stamens.
uniform vec3 pattern;

void main() {
    float u = painted.x, v = painted.y, leaf = painted.z;
    vec3 n = normalize(facing);
    n *= leaf > 0.5 && dot(n, eye - at) < 0.0 ? -1.0 : 1.0;
    float stripes = noise(vec3(u * 16.0 + 2.0 * leaf, v * 1.5, 3.0) + pattern);
    float cloud = noise(vec3(u * 1.5, v * 5.0, 9.0) + pattern);
    vec3 albedo = tinted * (1.0 + leaf * (0.5 * (stripes - 0.5)) + 0.4 * (cloud - 0.5));
    albedo *= mix(1.0, 0.7 + 0.3 * smoothstep(0.0, 0.12, abs(u)), leaf);
    vec3 thin = leaf * 0.35 * albedo * vec3(1.0, 1.05, 0.4);
    light = vec4(lit(albedo, n, 0.15 * albedo, thin), 1.0);
}
