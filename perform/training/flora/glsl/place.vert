// A vertex of petals or greens, seen by a camera or a light.
in vec3 point;
in vec3 normal;
in vec3 paint;   // petals: u, v, number; greens: u, v, 1 for leaves
in vec3 colour;  // greens' own
uniform mat4 view;
out vec3 at;
out vec3 facing;
out vec3 painted;
out vec3 tinted;

void main() {
    at = point;
    facing = normal;
    painted = paint;
    tinted = colour;
    gl_Position = view * vec4(point, 1.0);
}
