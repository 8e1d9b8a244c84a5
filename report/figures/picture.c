/* SVG to PDF and PNG, as journals take them. The only file that knows librsvg and cairo. */
#include <cairo-pdf.h>
#include <librsvg/rsvg.h>
#include <string.h>

#include "base/file.h"
#include "report/figures/figure.h"

enum { DOTS_PER_INCH = 300, CSS_PER_INCH = 96, POINTS_PER_INCH = 72 };

static cairo_status_t put(void *to, const unsigned char *data, unsigned length)
{
    bytes_put(to, data, length);
    return ((struct bytes *)to)->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* Draws into a surface that is scale times as large as CSS pixels. */
static bool render(cairo_surface_t *surface, RsvgHandle *handle, double width, double height, double scale)
{
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, scale, scale);
    const RsvgRectangle all = {0, 0, width, height};
    bool drawn =
        rsvg_handle_render_document(handle, cairo, &all, NULL) && cairo_status(cairo) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cairo);
    return drawn;
}

enum maille_code picture_write(const char *path, const char *format, const void *svg, size_t length,
                               struct maille_error *error)
{
    enum maille_code code = MAILLE_OK;
    struct bytes out = {0};
    gdouble width = 0, height = 0;
    cairo_surface_t *surface = NULL;
    bool drawn = false, pdf = strcmp(format, "pdf") == 0;
    double scale = (double)(pdf ? POINTS_PER_INCH : DOTS_PER_INCH) / CSS_PER_INCH;
    RsvgHandle *handle = rsvg_handle_new_from_data(svg, length, NULL);
    if (handle == NULL || !rsvg_handle_get_intrinsic_size_in_pixels(handle, &width, &height)) {
        code = maille_fail(error, MAILLE_FAILED,
                           "expected librsvg to read the figure %s, found that it cannot", path);
        goto out;
    }
    rsvg_handle_set_dpi(handle, CSS_PER_INCH);
    surface = pdf ? cairo_pdf_surface_create_for_stream(put, &out, width * scale, height * scale)
                  : cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale + 0.5),
                                               (int)(height * scale + 0.5));
    drawn = cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS &&
            render(surface, handle, width, height, scale);
    if (drawn && !pdf)
        drawn = cairo_surface_write_to_png_stream(surface, put, &out) == CAIRO_STATUS_SUCCESS;
    cairo_surface_finish(surface);
    if (!drawn || out.failed) {
        code = maille_fail(error, MAILLE_FAILED, "expected cairo to draw the figure %s, found that it cannot",
                           path);
        goto out;
    }
    code = file_write_atomic(path, out.data, out.length, 0644, error);
out:
    if (surface != NULL)
        cairo_surface_destroy(surface);
    if (handle != NULL)
        g_object_unref(handle);
    bytes_clear(&out);
    return code;
}
