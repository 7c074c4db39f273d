// One tile per instance: two triangles.
out vec2 corner;
out float number;

void main() {
    corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    number = float(gl_InstanceID);
    vec4 place = tile(number);
    gl_Position = vec4((place.xy + corner * place.zw) * 2.0 - 1.0, 0.0, 1.0);
}
