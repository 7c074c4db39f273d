// The background behind the flower, sRGB.
in vec2 uv;
uniform sampler2D image;
uniform vec3 far, near;  // the ground: linear light, away from its pool of light and within
uniform vec2 pool;
uniform vec3 hazed;      // colour of soft shapes
uniform float haze, haze_place, exposure;
out vec4 encoded;

// Something soft far behind: leaves out of focus, longer than wide, along a slope that bends.
float foliage(vec2 p, float slope, float place) {
    float turn = slope + 0.9 * (noise(vec3(p * 0.9, place)) - 0.5);
    vec2 along = vec2(cos(turn) * p.x + sin(turn) * p.y, cos(turn) * p.y - sin(turn) * p.x);
    return smoothstep(0.42, 0.85, noise(vec3(along * vec2(1.7, 5.2) + 9.0, place)));
}

vec3 ground(vec2 p) {
    vec2 bent = p + 0.3 * (vec2(noise(vec3(p * 1.5, haze_place)), noise(vec3(p * 1.3 + 5.0, haze_place + 3.0))) - 0.5);
    float glow = exp(-3.2 * dot(bent - pool, bent - pool));
    float shapes = 0.6 * foliage(p, 1.1, 0.5 * haze_place + 7.0) + 0.5 * foliage(p * 0.8 + 3.0, -0.9, 0.5 * haze_place);
    return mix(far, near, glow) + haze * shapes * hazed * (0.15 + 0.85 * glow);
}

void main() {
    vec2 p = uv - 0.5;
    vec4 sum = texture(image, uv);
    vec3 root = sum.rgb + (1.0 - sum.a) * sqrt(1.0 - exp(-exposure * ground(p)));
    vec3 x = root * root * (1.0 - 0.55 * smoothstep(0.2, 0.85, length(p)));
    x = mix(x * 12.92, 1.055 * pow(max(x, 1e-6), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, x));
    float dither = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    encoded = vec4(x + dither / 255.0, 1.0);
}
