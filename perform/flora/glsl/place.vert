// A vertex of petals or greens, seen by a camera or a light.
in vec3 point;
in vec3 normal;
in vec3 paint;   // petals: u, v, number; greens: u, v, 1 for leaves
in vec3 colour;  // greens' own
uniform mat4 view, key_view, sky_view, rim_view;
uniform vec3 key_from, sky_from, rim_from;
out vec3 at;
out vec3 facing;
out vec3 painted;
out vec3 tinted;
out vec3 at_key, at_sky, at_rim;  // in the lights' maps

// Off the surface, on the side of a light: nothing shadows itself, nor at its terminator.
vec3 placed(mat4 map, vec3 from) {
    vec3 off = 0.035 * normal * clamp(6.0 * dot(normal, from), -1.0, 1.0) + 0.03 * from;
    return (map * vec4(point + off, 1.0)).xyz * 0.5 + vec3(0.5, 0.5, 0.494);
}

void main() {
    at = point;
    facing = normal;
    painted = paint;
    tinted = colour;
    at_key = placed(key_view, key_from);
    at_sky = placed(sky_view, sky_from);
    at_rim = placed(rim_view, rim_from);
    gl_Position = view * vec4(point, 1.0);
}
